import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who proves that it knows the token; the role keeps a proof from being sent back to its maker. */
export type Prover = 'holder' | 'member';

/** A text that was never used before. */
export function makeNonce(): string {
  return randomBytes(24).toString('base64url');
}

/** Shows knowledge of the token without sending it: a foreign program on the port learns nothing. */
export function prove(token: string, prover: Prover, nonce: string): string {
  return createHmac('sha256', token).update(`rookery:${prover}:${nonce}`).digest('base64url');
}

/** Whether two proofs are the same, in a time that tells nothing about where they differ. */
export function sameProof(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
