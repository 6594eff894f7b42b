// An open-loop client: sends GET requests at a fixed rate, and does not wait for answers before it sends the next.
// A request that finds no idle connection gets a new one. Usage: steady-client.mjs <port> <path> <seconds> <rate>
import { connect } from 'node:net';

const [port, path, seconds, rate] = process.argv
  .slice(2)
  .map((each, at) => (at === 1 ? each : Number(each)));
const REQUEST = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: application/json\r\nuser-agent: steady\r\n\r\n`;
const END = '\r\n\r\n';

/** Node's servers close what is idle for 5 s; whoever sends at that very moment is not answered, through no fault of theirs. */
const LONGEST_IDLE = 4_000;

const idle = [];
const times = [];
let failed = 0;

class Connection {
  sentAt = 0;
  idleSince = 0;
  received = '';

  constructor() {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => this.onData(text));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.onClose());
  }

  send(now) {
    this.sentAt = now;
    this.socket.write(REQUEST);
  }

  onData(text) {
    this.received += text;
    const end = this.received.indexOf(END);
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.received)?.[1] ?? 0);
    if (this.received.length < end + END.length + length) return;
    if (this.received.startsWith('HTTP/1.1 200')) times.push(performance.now() - this.sentAt);
    else failed++;
    this.received = '';
    this.sentAt = 0;
    this.idleSince = performance.now();
    idle.push(this);
  }

  onClose() {
    if (this.sentAt > 0) failed++;
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
  }
}

const begin = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const now = performance.now();
  const due = Math.min(seconds, (now - begin) / 1_000) * rate;
  while (idle.length > 0 && now - idle[0].idleSince > LONGEST_IDLE) idle.shift().socket.destroy();
  for (; sent < due; sent++) (idle.pop() ?? new Connection()).send(now);
  if (sent < seconds * rate) return;
  clearInterval(timer);
  setTimeout(tell, 500);
}, 1);

function tell() {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const lost = sent - times.length;
  console.log(
    JSON.stringify({
      requests: times.length,
      rps: times.length / seconds,
      p50: at(0.5),
      p99: at(0.99),
      errors: lost > 0 ? `${lost} of ${sent} without a right answer, ${failed} of them broken` : '',
    }),
  );
  process.exit();
}
