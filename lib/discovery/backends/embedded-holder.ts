import { createServer, type Server } from 'node:net';
import type { Clock } from '../../common/clock.js';
import { InstanceTable } from './instance-table.js';
import { Member, type MemberHost } from './embedded-member.js';

export interface HolderOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly clock: Clock;
  /** Which member lives in the same application. */
  readonly home?: string;
  /** Whether that member has known an earlier holder. */
  readonly follows?: boolean;
}

/** How long a new holder says nothing, in ms, once it is known to have followed another. */
const WARM_UP = 250;

/**
 * Holds the table of all registrations, for every process on the machine; the first to bind the port becomes it.
 *
 * A holder that follows another begins with an empty table. It keeps quiet until the others have had time to
 * register again, so that nobody sees a table half filled.
 */
export class Holder implements MemberHost {
  readonly clock: Clock;
  readonly token: string | undefined;
  readonly home: string | undefined;
  private readonly members = new Set<Member>();
  private readonly tables = new Map<string, InstanceTable<Member>>();
  private readonly born: number;
  private filling = false;
  private cancelWarmUp = () => {};

  private constructor(
    private readonly server: Server,
    options: HolderOptions,
  ) {
    this.clock = options.clock;
    this.token = options.token;
    this.home = options.home;
    this.born = options.clock.now();
    server.unref();
    server.on('connection', (socket) => this.members.add(new Member(socket, this)));
    // An accept that fails, as for want of file descriptors, concerns one connection only.
    server.on('error', () => {});
    if (options.follows) this.returned();
  }

  /** Binds the port; `undefined` when someone else has it. */
  static async bind(options: HolderOptions): Promise<Holder | undefined> {
    const { host, port } = options;
    const server = createServer();
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen({ host, port, exclusive: true }, () => resolve(undefined));
    });
    if (!failure) return new Holder(server, options);
    if (failure.code === 'EADDRINUSE') return undefined;
    throw failure;
  }

  get quiet(): boolean {
    return this.filling;
  }

  table(namespace: string): InstanceTable<Member> {
    const table = this.tables.get(namespace) ?? new InstanceTable<Member>();
    this.tables.set(namespace, table);
    return table;
  }

  returned(): void {
    const rest = this.born + WARM_UP - this.clock.now();
    if (this.filling || rest <= 0) return;
    this.filling = true;
    this.cancelWarmUp = this.clock.after(rest, () => {
      this.filling = false;
      for (const member of this.members) member.flushSoon();
    });
  }

  left(member: Member): void {
    this.members.delete(member);
  }

  /** Frees the port and ends all connections; resolves when both is done. */
  close(): Promise<void> {
    this.cancelWarmUp();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const member of this.members) member.destroy();
    });
  }
}
