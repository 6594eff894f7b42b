// What memory the gateway holds. First with 20 slow readers of 64 MiB and 20 uploads to a slow upstream at once, then over
// minutes of steady requests. Ends with 1 when it grows beyond the bounds, or when a single byte or answer is wrong.
//
//   npm run bench:soak -- [--minutes 10] [--rate 500] [--slow 20]
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startContender, untilRight } from './support/contenders.mjs';
import { Fleet, freePorts } from './support/fleet.mjs';
import { steadyLoad } from './support/load.mjs';
import { isPattern, patternAt } from './support/pattern.mjs';
import { memory } from './support/process-figures.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '500' },
    slow: { type: 'string', default: '20' },
    name: { type: 'string', default: 'rookery' },
  },
});
const STREAMS = 20;
const SIZE = 64 << 20;
/** What both kinds of streams together may add, in MB. */
const MOST_STREAMS = 45;
/** How much more the last three minutes may need than minutes two to four did, each at their highest, in MB. */
const MOST_DRIFT = 8;
const slowFor = Number(values.slow);

// The uploads are larger than what the gateway takes by itself.
process.env.BODY_LIMIT = String(SIZE);

const fleet = new Fleet();
const [port, upstreamPort] = await freePorts(2);
const upstream = fileURLToPath(new URL('support/slow-upstream.mjs', import.meta.url));
fleet.start('upstream', '0,1', [process.execPath, upstream], {
  PORT: String(upstreamPort),
  SIZE: String(SIZE),
  SLOW: String(slowFor),
});
const problems = [];
await streams(await startGateway());
if (Number(values.minutes) > 0)
  await steady(await startGateway(), Number(values.minutes), Number(values.rate));
console.log(problems.length === 0 ? 'All within bounds.' : problems.join('\n'));
process.exit(problems.length === 0 ? 0 : 1);

/** A gateway of its own for each part, so that one does not explain the other. */
async function startGateway() {
  const gateway = startContender(fleet, values.name, {
    core: '0,1',
    port,
    origins: [`http://127.0.0.1:${upstreamPort}`],
    node: process.execPath,
  });
  await untilRight(port, '/api/x', ({ status }) => status === 200);
  return gateway;
}

async function streams(gateway) {
  await steadyLoad({ core: '0,1', port, path: '/api/x', seconds: 5, rate: 500 });
  const before = memory(gateway.pid);
  const most = { slow: before, fast: before };
  const slowUntil = performance.now() + slowFor * 1_000;
  const watch = setInterval(() => {
    const phase = performance.now() < slowUntil ? 'slow' : 'fast';
    most[phase] = Math.max(most[phase], memory(gateway.pid));
  }, 100);
  const all = [];
  for (let at = 0; at < STREAMS; at++) all.push(download(slowUntil), upload());
  const ended = await Promise.allSettled(all);
  clearInterval(watch);
  const wrong = ended.filter(({ status }) => status === 'rejected');
  for (const { reason } of wrong.slice(0, 5))
    problems.push(`A stream went wrong: ${reason.message}`);
  const growth = most.slow - before;
  console.log(
    `${STREAMS} slow readers of 64 MiB and ${STREAMS} uploads to a slow upstream: ${ended.length - wrong.length} of ${ended.length} right, RSS ${before.toFixed(1)} MB, at most ${most.slow.toFixed(1)} MB while they were slow, grown by ${growth.toFixed(1)} MB (bound: ${MOST_STREAMS}); at most ${most.fast.toFixed(1)} MB while their rest went at full speed`,
  );
  gateway.stop();
  if (growth >= MOST_STREAMS) problems.push(`Streams take ${growth.toFixed(1)} MB.`);
}

/** Reads 64 KiB every 50 ms while it is slow, then the rest at once; rejects at the first wrong byte. */
function download(slowUntil) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let head = '';
    let got = 0;
    socket.write('GET /api/big HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n\r\n');
    socket.on('error', reject);
    socket.on('end', () =>
      got === SIZE ? resolve() : reject(new Error(`a reader got ${got} bytes`)),
    );
    socket.on('data', (bytes) => {
      const body = head === undefined ? bytes : afterHead(bytes);
      if (!isPattern(body, got)) socket.destroy(new Error(`byte ${got} is wrong`));
      got += body.length;
      if (performance.now() < slowUntil) {
        socket.pause();
        setTimeout(() => socket.resume(), (bytes.length / 65_536) * 50);
      }
    });
    function afterHead(bytes) {
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return Buffer.alloc(0);
      const body = Buffer.from(head.slice(end + 4), 'latin1');
      if (!head.startsWith('HTTP/1.1 200')) socket.destroy(new Error(head.slice(0, 40)));
      head = undefined;
      return body;
    }
  });
}

/** Sends as fast as it can; the upstream says how many right bytes came. */
function upload() {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let sent = 0;
    let answer = '';
    const more = () => {
      while (sent < SIZE) {
        const piece = patternAt(sent, SIZE - sent);
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.write(
      `POST /api/sink HTTP/1.1\r\nhost: soak\r\nconnection: close\r\ncontent-length: ${SIZE}\r\n\r\n`,
    );
    socket.on('drain', more).on('error', reject);
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.on('end', () =>
      answer.startsWith('HTTP/1.1 200') && answer.endsWith(`\r\n\r\n${SIZE}`)
        ? resolve()
        : reject(new Error(`an upload was answered ${answer.slice(0, 60)}`)),
    );
    more();
  });
}

async function steady(gateway, minutes, rate) {
  const samples = [];
  const begin = performance.now();
  const load = steadyLoad({ core: '0,1', port, path: '/api/x', seconds: minutes * 60, rate });
  while (performance.now() - begin < minutes * 60_000) {
    await pause(30_000);
    const rss = memory(gateway.pid);
    const at = (performance.now() - begin) / 1_000;
    samples.push({ at, rss });
    fleet.cutLogs();
    console.log(`${at.toFixed(0)} s: RSS ${rss.toFixed(1)} MB`);
  }
  const { requests, p50, p99, errors } = await load;
  const early = highest(samples.filter(({ at }) => at > 60 && at <= 240));
  const late = highest(samples.filter(({ at }) => at > (minutes - 3) * 60));
  const drift = late - early;
  console.log(
    `${minutes} minutes at ${rate} requests/s: ${requests} right, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${errors || 'no errors'}; RSS at most ${early.toFixed(1)} MB in minutes 2 to 4, at most ${late.toFixed(1)} MB in the last three (bound: +${MOST_DRIFT})`,
  );
  if (errors !== '') problems.push(errors);
  if (!(drift <= MOST_DRIFT)) problems.push(`RSS has drifted by ${drift.toFixed(1)} MB.`);
}

function highest(samples) {
  return Math.max(...samples.map(({ rss }) => rss));
}
