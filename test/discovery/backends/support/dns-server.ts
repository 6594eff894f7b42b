import { createSocket, type Socket } from 'node:dgram';

/** What stands in the zone: addresses, or targets with their priority, weight and port. */
export interface DnsRecord {
  readonly type: 'A' | 'SRV';
  readonly address?: string;
  readonly target?: string;
  readonly port?: number;
  readonly priority?: number;
  readonly weight?: number;
}

const TYPES = { 1: 'A', 28: 'AAAA', 33: 'SRV' } as const;

/** A small DNS server on UDP (RFC 1035, RFC 2782) that answers what a test writes into its zone. */
export class DnsServer {
  readonly zone = new Map<string, readonly DnsRecord[]>();
  /** The code every answer carries: 0 as usual, 2 when the server fails. */
  code = 0;
  /** Whether it says nothing at all. */
  silent = false;
  asked = 0;
  private readonly socket: Socket = createSocket('udp4');

  async listen(): Promise<string> {
    this.socket.on('message', (query, from) => {
      this.asked += 1;
      if (!this.silent) this.socket.send(this.answer(query), from.port, from.address);
    });
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve));
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  private answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12);
    const type = TYPES[query.readUInt16BE(end) as 1 | 28 | 33];
    const known = this.zone.get(name);
    const records = (known ?? []).filter((record) => record.type === type);
    const question = query.subarray(12, end + 4);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    const code = this.code || (known ? 0 : 3);
    head.writeUInt16BE(0x81_80 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(code === 0 ? records.length : 0, 6);
    return Buffer.concat([head, question, ...(code === 0 ? records.map(writeRecord) : [])]);
  }
}

function writeRecord(record: DnsRecord): Buffer {
  const data = record.type === 'A' ? writeAddress(record) : writeTarget(record);
  const head = Buffer.alloc(12);
  // The name is that of the question.
  head.writeUInt16BE(0xc0_0c, 0);
  head.writeUInt16BE(record.type === 'A' ? 1 : 33, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(5, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function writeAddress({ address = '127.0.0.1' }: DnsRecord): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function writeTarget({ target = '', port = 0, priority = 0, weight = 0 }: DnsRecord): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  const labels = target.split('.').filter(Boolean);
  const name = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([head, ...name, Buffer.from([0])]);
}

function readName(query: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = from;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}
