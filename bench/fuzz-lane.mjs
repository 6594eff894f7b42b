// Heads that are nearly right, by the million: what the gateway's fast lane takes, Node must take too, and read the same.
// Ends with 1 where it does not.
//
//   npm run fuzz:lane -- [--cases 1000000] [--seed 1]
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { LaneHead } from '../dist/cjs/gateway/lane/lane-head.js';
import { disagreement, nearlyRightHead, NodeReader } from '../test/gateway/lane/head-fuzz.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
/** So many are made at a time. */
const BATCH = 10_000;

const head = new LaneHead();
const node = new NodeReader();
const cases = Number(values.cases);
let taken = 0;
const wrong = [];
for (let made = 0; made < cases && wrong.length < 10; made += BATCH) {
  for (const text of fc.sample(nearlyRightHead, {
    numRuns: BATCH,
    seed: Number(values.seed) + made,
  })) {
    const verdict = await disagreement(head, text, node);
    if (verdict === 'agreed') taken++;
    else if (verdict !== undefined) wrong.push({ text, verdict });
  }
}
console.log(
  `Node ${process.versions.node}, seed ${values.seed}: ${cases} heads, ${taken} taken by the lane and read the same by Node, ${wrong.length} not.`,
);
for (const each of wrong) console.error(each);
process.exit(wrong.length > 0 ? 1 : 0);
