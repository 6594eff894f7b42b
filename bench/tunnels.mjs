// 1,000 WebSockets at once through the gateway, each echoing 100 messages with every byte compared, while one of four
// instances is killed. Those of the dead instance must end, all others must not notice. Ends with 1 when anything is wrong.
//
//   npm run bench:tunnels -- [--tunnels 1000] [--messages 100]
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startContender, untilRight } from './support/contenders.mjs';
import { Fleet, freePorts } from './support/fleet.mjs';
import { memory } from './support/process-figures.mjs';

const { values } = parseArgs({
  options: {
    tunnels: { type: 'string', default: '1000' },
    messages: { type: 'string', default: '100' },
    name: { type: 'string', default: 'rookery' },
  },
});
const count = Number(values.tunnels);
const messages = Number(values.messages);
const HEAD_END = '\r\n\r\n';

const fleet = new Fleet();
const [port, ...upstreamPorts] = await freePorts(5);
const upstream = fileURLToPath(new URL('support/echo-upstream.mjs', import.meta.url));
const instances = new Map(
  upstreamPorts.map((each) => [
    String(each),
    fleet.start(`upstream ${each}`, '0,1', [process.execPath, upstream], { PORT: String(each) }),
  ]),
);
const gateway = startContender(fleet, values.name, {
  core: '0,1',
  port,
  origins: upstreamPorts.map((each) => `http://127.0.0.1:${each}`),
  node: process.execPath,
});
await untilRight(port, '/api/x', ({ status }) => status === 200);

/** One client: a masked frame of random bytes goes out, and the very same bytes must come back before the next goes. */
class Client {
  instance = '';
  echoed = 0;
  state = 'opening';
  #sent = Buffer.alloc(0);
  #at = 0;
  #head = '';

  constructor(onProgress) {
    this.onProgress = onProgress;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const key = randomBytes(16).toString('base64');
    this.socket.write(
      `GET /api/echo HTTP/1.1\r\nHost: tunnels\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    this.socket.on('data', (bytes) => this.#onData(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.#end('cut off'));
  }

  #onData(bytes) {
    if (this.state === 'opening') return this.#onHead(bytes);
    const expected = this.#sent.subarray(this.#at, this.#at + bytes.length);
    if (!expected.equals(bytes)) return this.#end('wrong bytes');
    this.#at += bytes.length;
    if (this.#at < this.#sent.length) return undefined;
    this.echoed++;
    this.onProgress();
    return this.echoed === messages ? this.#end('done') : this.#send();
  }

  #onHead(bytes) {
    this.#head += bytes.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101') || this.#head.length > end + HEAD_END.length)
      return this.#end(`opened with ${this.#head.slice(0, 40)}`);
    this.instance = /\r\nx-instance: (\d+)/i.exec(this.#head)?.[1] ?? '';
    this.state = 'open';
    this.#send();
  }

  #send() {
    const length = 126 + Math.floor(Math.random() * 3_970);
    this.#sent = Buffer.concat([
      Buffer.from([0x82, 0xfe, length >> 8, length & 255]),
      randomBytes(4 + length),
    ]);
    this.#at = 0;
    this.socket.write(this.#sent);
  }

  #end(state) {
    if (this.state !== 'opening' && this.state !== 'open') return;
    this.state = state;
    this.socket.destroy();
    this.onProgress();
  }
}

const before = memory(gateway.pid);
const begin = performance.now();
let most = before;
let victim;
const clients = [];
await new Promise((resolve) => {
  let steps = 0;
  const onProgress = () => {
    if (++steps % 1_000 === 0) most = Math.max(most, memory(gateway.pid));
    // All are open, and a third of all messages have come back: one instance dies.
    if (
      victim === undefined &&
      clients.length === count &&
      steps > (count * messages) / 3 &&
      clients.every(({ state }) => state !== 'opening')
    ) {
      victim = clients[0].instance;
      instances.get(victim).stop();
    }
    if (
      clients.length === count &&
      clients.every(({ state }) => state !== 'opening' && state !== 'open')
    )
      resolve();
  };
  for (let at = 0; at < count; at++) clients.push(new Client(onProgress));
});
const seconds = (performance.now() - begin) / 1_000;

const others = clients.filter(({ instance }) => instance !== victim);
const wrong = clients.filter(({ state, instance }) =>
  instance === victim ? state !== 'done' && state !== 'cut off' : state !== 'done',
);
const cut = clients.filter(({ state }) => state === 'cut off').length;
console.log(
  `${count} tunnels, ${messages} messages each, ${clients.reduce((sum, { echoed }) => sum + echoed, 0)} echoed in ${seconds.toFixed(1)} s; instance ${victim} killed with ${clients.length - others.length} tunnels, ${cut} of them cut off; ${others.filter(({ state }) => state === 'done').length} of ${others.length} others complete; RSS ${before.toFixed(0)} MB, at most ${most.toFixed(0)} MB`,
);
for (const { state, instance, echoed } of wrong.slice(0, 10))
  console.log(`wrong: a tunnel to ${instance} was ${state} after ${echoed} messages`);
const right = wrong.length === 0 && cut > 0 && gateway.isRunning();
console.log(right ? 'Every byte was right.' : 'That is wrong.');
process.exit(right ? 0 : 1);
