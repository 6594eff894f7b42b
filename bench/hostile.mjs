// Whether strangers can fill the metrics: 100,000 requests with paths, methods and hosts that are all different, through a
// gateway and to a service, over real sockets. No series may come of them, and no memory may stay.
//
//   npm run bench:hostile -- [--requests 100000]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '100000' } } });
const requests = Number(values.requests);
/** How many are sent on one connection before their answers are waited for. */
const BATCH = 20;
/** What a heap may differ by after its garbage was collected. */
const MOST_GROWTH = 2 << 20;

const app = fork(fileURLToPath(new URL('hostile/app.mjs', import.meta.url)), {
  execArgv: ['--expose-gc'],
  env: { ...process.env, NODE_ENV: 'production' },
});
process.once('exit', () => app.kill('SIGKILL'));
const [{ port }] = await once(app, 'message');

async function figures() {
  app.send('figures');
  const [answer] = await once(app, 'message');
  return answer;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'MKCOL', 'LOCK', 'SEARCH'];

/** Every request differs from every other in path, query and host; each kind comes in turn. */
function request(n) {
  const word = (n * 2_654_435_761) % 4_294_967_296;
  const tail = ` HTTP/1.1\r\nhost: h${word}.example\r\n`;
  const kinds = [
    `GET /nowhere/${word}?q=${word}${tail}\r\n`,
    `GET /api/${word}${tail}x-${word}: ${word}\r\n\r\n`,
    `GET /orders/${word}${tail}\r\n`,
    `${METHODS[n % METHODS.length]} /api/${word}/${n}${tail}content-length: 0\r\n\r\n`,
    // These end their connection.
    `GET /%61pi/${word}/..%2f${word}${tail}\r\n`,
    `X${word} /api/${word}${tail}connection: close\r\n\r\n`,
  ];
  return kinds[n % kinds.length];
}

/** Sends requests one behind the other and reads whatever comes until as many answers have, or the end. */
function exchange(text, count) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answers = 0;
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answers += chunk.toString('latin1').split('HTTP/1.1 ').length - 1;
      if (answers >= count) socket.end();
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(answers));
  });
}

/** The requests of these numbers, on one connection where it stays open; how many were answered. */
async function sendAll(numbers) {
  const polite = numbers.filter((n) => n % 6 < 4).map(request);
  const counts = [await exchange(polite.join(''), polite.length)];
  for (const n of numbers) if (n % 6 >= 4) counts.push(await exchange(request(n), 1));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function attack(from, to) {
  let answers = 0;
  for (let n = from; n < to; n += 4 * BATCH) {
    const batches = [0, 1, 2, 3].map((at) =>
      Array.from({ length: BATCH }, (_, index) => n + at * BATCH + index),
    );
    for (const count of await Promise.all(batches.map(sendAll))) answers += count;
  }
  return answers;
}

const mega = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

await attack(0, 12_000);
const before = await figures();
const began = performance.now();
const answers = await attack(12_000, 12_000 + requests);
const took = (performance.now() - began) / 1_000;
const after = await figures();
const known = new Set(before.series);
const fresh = after.series.filter((line) => !known.has(line));
console.log(`${requests} requests, ${answers} answers in ${took.toFixed(1)} s`);
console.log(`series   ${before.series.length} → ${after.series.length}`);
console.log(`heap     ${mega(before.heapUsed)} → ${mega(after.heapUsed)}`);
console.log(`RSS      ${mega(before.rss)} → ${mega(after.rss)}`);
if (fresh.length > 0) throw new Error(`New series: ${fresh.slice(0, 10).join('\n')}`);
if (answers < requests * 0.9) throw new Error('Too many requests were not answered.');
if (after.heapUsed - before.heapUsed > MOST_GROWTH) throw new Error('The heap has grown.');
process.exit();
