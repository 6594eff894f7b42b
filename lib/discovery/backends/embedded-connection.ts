import type { Socket } from 'node:net';
import type { Clock } from '../../common/clock.js';
import type { ServiceInstance } from '../service-instance.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import type { Newest } from './newest.js';
import { dial, HANDSHAKE } from './embedded-dial.js';
import { LineSocket } from './embedded-line-socket.js';
import { makeNonce, prove, sameProof } from './embedded-proof.js';
import {
  HOLDER_LINE,
  MEMBER_LINE,
  type HolderMessage,
  type MemberMessage,
  PROTOCOL,
  readHolderMessage,
} from './embedded-protocol.js';
import { whenSilent } from './embedded-silence.js';
import { ProtocolError } from './json-fields.js';

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly namespace: string;
  /** Which member we are. */
  readonly member: string;
  /** Whether we have known an earlier holder. */
  readonly returning: boolean;
  /** How long our registrations outlive our last word, in ms. */
  readonly ttl: number;
  readonly clock: Clock;
}

/** What a stream of the source waits for. */
export type Watch =
  | {
      readonly service: string;
      readonly newest: Newest<readonly ServiceInstance[]>;
      /** What of the newest snapshot outlives the holder; undefined when that is all of it. */
      rest?: readonly ServiceInstance[] | undefined;
    }
  | { readonly service?: undefined; readonly newest: Newest<readonly string[]> };

interface Waiter {
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** How long the holder may take to answer, in ms. */
const ANSWER = 5_000;

/** A connection to the holder, at the member's end. */
export class HolderConnection {
  /** Resolves when the connection is over, for whatever reason. */
  readonly closed: Promise<void>;
  private readonly socket: LineSocket;
  private readonly waiters = new Map<number, Waiter>();
  private readonly watches = new Map<number, Watch>();
  private readonly nonce = makeNonce();
  private readonly address: string;
  private greeting: Waiter | undefined;
  private proven = false;
  private dismissed = false;
  private ended: BackendUnavailableError | undefined;
  private last = 0;

  private constructor(
    socket: Socket,
    private readonly options: ConnectionOptions,
  ) {
    this.address = `${options.host}:${options.port}`;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.socket = new LineSocket(socket, {
      longest: HOLDER_LINE,
      onLine: (line) => this.receive(line),
      onClose: (reason) => this.fail(reason),
    });
  }

  /**
   * Connects and greets.
   *
   * @throws BackendRefusedError when what answers is no holder, or one that does not take us
   */
  static async open(options: ConnectionOptions): Promise<HolderConnection> {
    const socket = await dial(options);
    const connection = new HolderConnection(socket, options);
    await connection.greet();
    return connection;
  }

  get open(): boolean {
    return this.socket.open && !this.ended;
  }

  /** Writes an instance; resolves when the holder has it. */
  put(instance: ServiceInstance): Promise<void> {
    // The holder would hang up, and with the connection every other registration of this process would end.
    if (JSON.stringify(instance).length > MEMBER_LINE - 100) {
      return Promise.reject(
        new BackendRefusedError(
          `The instance "${instance.id}" is larger than ${MEMBER_LINE} characters. Give it less metadata.`,
        ),
      );
    }
    return this.ask((id) => ({ op: 'put', id, instance }));
  }

  /** Takes an instance back; resolves when the holder has it no more. */
  delete(instance: string): Promise<void> {
    return this.ask((id) => ({ op: 'delete', id, instance }));
  }

  /** Fills a stream with snapshots, and makes it throw when the connection breaks; returns how to stop. */
  watch(watch: Watch): () => void {
    const id = ++this.last;
    if (this.ended) watch.newest.fail(this.ended);
    this.watches.set(id, watch);
    this.say({ op: 'watch', id, ...(watch.service !== undefined && { service: watch.service }) });
    return () => {
      if (this.watches.delete(id)) this.say({ op: 'unwatch', id });
    };
  }

  /** Ends the connection; what was said before still arrives. */
  close(): Promise<void> {
    this.socket.end();
    return this.closed;
  }

  private ask(message: (id: number) => MemberMessage): Promise<void> {
    if (this.ended) return Promise.reject(this.ended);
    const id = ++this.last;
    return this.wait(ANSWER, (waiter) => {
      if (waiter) this.waiters.set(id, waiter);
      else this.waiters.delete(id);
      if (waiter) this.say(message(id));
    });
  }

  private greet(): Promise<void> {
    const { namespace, member, returning, ttl } = this.options;
    const { nonce } = this;
    const hello = {
      op: 'hello',
      protocol: PROTOCOL,
      namespace,
      member,
      returning,
      ttl,
      nonce,
    } as const;
    return this.wait(HANDSHAKE, (waiter) => {
      this.greeting = waiter;
      if (waiter) this.say(hello);
    });
  }

  /** Waits for an answer; one that is late ends the connection, because a holder that hangs is as good as dead. */
  private wait(limit: number, place: (waiter: Waiter | undefined) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        cancel();
        place(undefined);
        finish();
      };
      const cancel = whenSilent(this.options.clock, limit, () => {
        this.socket.break(new Error(`no answer within ${limit} ms`));
      });
      place({
        done: () => settle(resolve),
        fail: (error) => settle(() => reject(error)),
      });
    });
  }

  private receive(line: string): void {
    try {
      const message = readHolderMessage(line);
      if (this.greeting) this.hear(message, this.greeting);
      else this.accept(message);
    } catch (error) {
      if (this.greeting && error instanceof ProtocolError) this.greeting.fail(this.stranger(error));
      throw error;
    }
  }

  /** Hears the holder's part of the greeting. */
  private hear(message: HolderMessage, greeting: Waiter): void {
    const { token } = this.options;
    if (message.op === 'challenge' && token !== undefined && !this.proven) {
      this.proven = sameProof(message.proof, prove(token, 'holder', this.nonce));
      if (this.proven)
        return this.say({ op: 'proof', proof: prove(token, 'member', message.nonce) });
    }
    if (message.op === 'welcome' && this.proven === (token !== undefined)) return greeting.done();
    const reason =
      message.op === 'refused'
        ? message.reason
        : token === undefined
          ? 'it asks for a token'
          : 'it does not know our token';
    greeting.fail(
      new BackendRefusedError(
        `The embedded registry at ${this.address} does not take us: ${reason}. Give every process the same version of this package and the same embedded.token.`,
      ),
    );
    this.socket.end();
  }

  private accept(message: HolderMessage): void {
    if (message.op === 'done') return this.waiters.get(message.id)?.done();
    if (message.op === 'refused') {
      this.dismissed = true;
      throw new Error(`the holder refuses: ${message.reason}`);
    }
    if (message.op !== 'instances' && message.op !== 'services') {
      throw new ProtocolError('a message out of turn');
    }
    const watch = this.watches.get(message.id);
    if (!watch) return;
    if (message.op === 'instances' && watch.service !== undefined) {
      const { instances, own } = message;
      watch.rest = own.length > 0 ? instances.filter(({ id }) => !own.includes(id)) : undefined;
      watch.newest.push(instances);
    }
    if (message.op === 'services' && watch.service === undefined) {
      watch.newest.push(message.services);
    }
  }

  private fail(reason: Error | undefined): void {
    const because = reason ? `: ${reason.message}` : '';
    this.ended = new BackendUnavailableError(
      `The connection to the embedded registry at ${this.address} ended${because}.`,
      reason,
    );
    this.greeting?.fail(this.ended);
    for (const waiter of this.waiters.values()) waiter.fail(this.ended);
    for (const watch of this.watches.values()) {
      this.bury(watch);
      watch.newest.fail(this.ended);
    }
    this.watches.clear();
  }

  /** A holder that went without a word, or gives none any more, is dead, and with it the instances of its own process. */
  private bury(watch: Watch): void {
    if (this.dismissed || watch.service === undefined || !watch.rest) return;
    watch.newest.push(watch.rest);
  }

  private stranger(cause: ProtocolError): BackendRefusedError {
    return new BackendRefusedError(
      `What answers at ${this.address} is no embedded registry. Another program has the port: give embedded({ port }) a free one, the same in every process.`,
      cause,
    );
  }

  private say(message: MemberMessage): void {
    this.socket.send(message);
  }
}
