import type { Arbitrary } from 'fast-check';
import type { LaneHead } from '../../../lib/gateway/lane/lane-head.js';

export const nearlyRightHead: Arbitrary<string>;

export class NodeReader {
  read(bytes: Buffer): Promise<unknown>;
}

export function disagreement(
  head: LaneHead,
  text: string,
  node: NodeReader,
): Promise<string | undefined>;
