// An upstream for bodies of any size: GET /api/big gives SIZE bytes as fast as they are taken, POST /api/sink takes a body
// slowly for SLOW seconds and then fast, and says how many bytes of it were right; all else is a small answer.
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { isPattern, patternAt } from './pattern.mjs';

const { PORT, SIZE, SLOW } = process.env;
const size = Number(SIZE ?? 0);
/** While it is slow it takes so many bytes, and then waits 50 ms. */
const SLOWLY = 32_768;

createServer((request, response) => {
  if (request.url === '/api/big') return give(response);
  if (request.url === '/api/sink') return void sink(request, response);
  request.resume();
  return void response.setHeader('content-type', 'application/json').end('{"hello":"world"}');
}).listen(Number(PORT), '127.0.0.1');

function give(response) {
  let at = 0;
  response.setHeader('content-length', size);
  const more = () => {
    while (at < size) {
      const piece = patternAt(at, size - at);
      at += piece.length;
      if (!response.write(piece)) break;
    }
    if (at < size || response.writableNeedDrain) response.once('drain', more);
    else response.end();
  };
  more();
}

async function sink(request, response) {
  const slowUntil = performance.now() + Number(SLOW) * 1_000;
  let at = 0;
  for await (const bytes of request) {
    if (!isPattern(bytes, at)) {
      response.writeHead(409).end();
      return;
    }
    at += bytes.length;
    if (performance.now() < slowUntil) await pause((bytes.length / SLOWLY) * 50);
  }
  response.end(String(at));
}
