// What awkward exchanges become behind our gateway, on Express and on Fastify, and behind its peers: the same bytes to
// each, with an upstream of raw sockets behind it. Ends with 1 when ours is wrong anywhere.
//
//   npm run bench:traps -- [--only a,b] [--node PATH]
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { CONTENDERS, startContender, untilRight } from './support/contenders.mjs';
import { Fleet, freePorts } from './support/fleet.mjs';
import { installPeers } from './support/peers.mjs';
import { CHECKS } from './support/trap-checks.mjs';
import { TrapUpstream } from './support/trap-upstream.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string' }, node: { type: 'string', default: process.execPath } },
});
const OURS = ['rookery', 'rookery on Fastify'];
const PEERS = Object.keys(CONTENDERS).filter(
  (name) => !name.startsWith('rookery') && !CONTENDERS[name].secured,
);
const names = values.only?.split(',') ?? [...OURS, ...PEERS];

installPeers();
const fleet = new Fleet();
const results = {};
for (const name of names) results[name] = await examine(name);

const rows = Object.keys(CHECKS).map((check) =>
  [check, ...names.map((name) => results[name][check])].join(' | '),
);
const ours = OURS.filter((name) => names.includes(name));
const wrong = ours.flatMap((name) =>
  Object.entries(results[name]).flatMap(([check, result]) =>
    isRight(result) ? [] : [`${name}: ${check}: ${result}`],
  ),
);
console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`);
for (const row of rows) console.log(`| ${row} |`);
const right = names.map((name) => `${name} ${Object.values(results[name]).filter(isRight).length}`);
console.log(`\nRight of ${rows.length}: ${right.join(', ')}`);
if (wrong.length > 0) console.error(`\nOurs is wrong:\n${wrong.join('\n')}`);
process.exit(wrong.length > 0 ? 1 : 0);

/** All checks on one contender; one that dies is started again. */
async function examine(name) {
  const upstream = new TrapUpstream();
  const [port] = await freePorts(1);
  const origins = [`http://127.0.0.1:${await upstream.listen()}`];
  const found = {};
  let contender = await started();
  for (const [check, run] of Object.entries(CHECKS)) {
    found[check] = await run({ port, upstream });
    await pause(20);
    if (contender.isRunning()) continue;
    found[check] = 'DIES';
    contender = await started();
  }
  contender.stop();
  upstream.close();
  return found;

  async function started() {
    upstream.answer = 'plain';
    const made = startContender(fleet, name, { core: '0,1', port, origins, node: values.node });
    await untilRight(port, '/api/x', ({ status }) => status === 200);
    return made;
  }
}

function isRight(result) {
  return /^ok\b/.test(result);
}
