import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import { HolderConnection } from './embedded-connection.js';
import { Holder } from './embedded-holder.js';

export interface MembershipOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly namespace: string;
  /** Whether this process takes the port where nobody has it. */
  readonly holds: boolean;
  /** How long our registrations outlive our last word, in ms. */
  readonly ttl: number;
  readonly clock: Clock;
}

/** How often, and how long in ms, to go round between "nobody listens" and "somebody was faster" before giving up. */
const ROUNDS = 20;
const PATIENCE = 2_000;

/** Our place among the processes that share a port: a connection to the holder, and perhaps the holder itself. */
export class Membership {
  private connection: HolderConnection | undefined;
  private joining: Promise<HolderConnection> | undefined;
  private holder: Holder | undefined;
  private readonly member = randomUUID();
  private returning = false;
  private left = false;

  constructor(private readonly options: MembershipOptions) {}

  /**
   * The connection to the holder, made if there is none; where nobody holds the port, this process does from now on.
   *
   * @throws BackendRefusedError when the port is another program's, or the holder does not take us
   * @throws BackendUnavailableError when there is no holder and none can be made
   */
  join(): Promise<HolderConnection> {
    if (this.connection?.open) return Promise.resolve(this.connection);
    this.joining ??= this.enter().finally(() => (this.joining = undefined));
    return this.joining;
  }

  /**
   * Frees the port, if we hold the table, and ends the connection; another process takes the port.
   *
   * For the others it looks like the death of this process: registrations that were not revoked before are gone.
   */
  async leave(): Promise<void> {
    this.left = true;
    await this.joining?.catch(() => {});
    await Promise.all([this.connection?.close(), this.holder?.close()]);
    this.holder = undefined;
  }

  private async enter(): Promise<HolderConnection> {
    const { clock } = this.options;
    const end = clock.now() + PATIENCE;
    let failure: unknown;
    for (let round = 0; round < ROUNDS && clock.now() < end && !this.left; round++) {
      try {
        return await this.connect();
      } catch (error) {
        if (error instanceof BackendRefusedError) throw error;
        failure = error;
      }
      if (await this.hold()) continue;
      if (!this.options.holds) break;
      await clock.sleep(5 + Math.random() * 20);
    }
    const { host, port } = this.options;
    throw new BackendUnavailableError(
      this.left
        ? 'This process has left the embedded registry.'
        : `The embedded registry at ${host}:${port} cannot be reached: ${messageOf(failure)}. ${this.options.holds ? 'Another program may have the port, or the process that holds it hangs.' : 'Does it run (npx nest-rookery registry)?'}`,
      failure,
    );
  }

  private async connect(): Promise<HolderConnection> {
    const { options, member, returning } = this;
    const connection = await HolderConnection.open({ ...options, member, returning });
    this.connection = connection;
    this.returning = true;
    return connection;
  }

  /** Takes the port; false when somebody else was faster. */
  private async hold(): Promise<boolean> {
    if (this.holder) return true;
    if (!this.options.holds) return false;
    try {
      const { options, member, returning } = this;
      this.holder = await Holder.bind({ ...options, home: member, follows: returning });
    } catch (error) {
      const { host, port } = this.options;
      throw new BackendRefusedError(
        `The embedded registry cannot listen at ${host}:${port}: ${messageOf(error)}. Give embedded({ host, port }) an address of this machine and a free port, the same in every process.`,
        error,
      );
    }
    return this.holder !== undefined;
  }
}
