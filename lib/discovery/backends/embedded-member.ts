import type { Socket } from 'node:net';
import type { Clock } from '../../common/clock.js';
import type { InstanceTable } from './instance-table.js';
import { LineSocket } from './embedded-line-socket.js';
import { makeNonce, prove, sameProof } from './embedded-proof.js';
import {
  type HolderMessage,
  MEMBER_LINE,
  type MemberMessage,
  PROTOCOL,
  readMemberMessage,
} from './embedded-protocol.js';
import { whenSilent } from './embedded-silence.js';
import { ProtocolError } from './json-fields.js';

/** What a member needs of its holder. */
export interface MemberHost {
  readonly clock: Clock;
  readonly token: string | undefined;
  /** Which member lives in the same application as the holder, and ends with it. */
  readonly home: string | undefined;
  /** Whether snapshots are held back because the table is still filling. */
  readonly quiet: boolean;
  table(namespace: string): InstanceTable<Member>;
  /** A member has come that knew an earlier holder. */
  returned(): void;
  left(member: Member): void;
}

interface Subscription {
  readonly service: string | undefined;
  sent?: string;
}

/** How long a connection may take to say who it is, in ms. */
const HANDSHAKE = 2_000;
const FAREWELL = 500;

/**
 * A connection at the holder's end; while it stands, so do the registrations made over it.
 *
 * A process that is frozen keeps its connections, so one that has registrations must say a word within its time to live.
 */
export class Member {
  private readonly socket: LineSocket;
  private readonly subscriptions = new Map<number, Subscription>();
  private cancelHandshake: () => void;
  private readonly nonce = makeNonce();
  private table: InstanceTable<Member> | undefined;
  private stopListening = () => {};
  private hello: (MemberMessage & { op: 'hello' }) | undefined;
  private readonly dirty = new Set<string>();
  private flushing = false;
  private readonly registered = new Set<string>();
  private cancelSilence = () => {};

  constructor(
    socket: Socket,
    private readonly host: MemberHost,
  ) {
    this.socket = new LineSocket(socket, {
      longest: MEMBER_LINE,
      onLine: (line) => this.receive(line),
      onClose: () => this.closed(),
    });
    this.cancelHandshake = host.clock.after(HANDSHAKE, () => this.late());
  }

  /** Sends what has changed since the last time, all changes of this turn together. */
  flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      if (!this.host.quiet) this.flush();
    });
  }

  /** Whether it ends when the holder ends. */
  get isAtHome(): boolean {
    return this.hello?.member !== undefined && this.hello.member === this.host.home;
  }

  private changed(service: string): void {
    this.dirty.add(service);
    this.flushSoon();
  }

  /** Ends the connection at once, without a word. */
  destroy(): void {
    this.socket.break(new Error('the holder ends'));
  }

  private flush(): void {
    const { table } = this;
    if (!table) return;
    for (const [id, subscription] of this.subscriptions) {
      const { service, sent } = subscription;
      if (sent !== undefined && service !== undefined && !this.dirty.has(service)) continue;
      const message: HolderMessage =
        service === undefined
          ? { op: 'services', id, services: table.services() }
          : {
              op: 'instances',
              id,
              instances: table.instances(service),
              own: table.instances(service, (owner) => owner.isAtHome).map((each) => each.id),
            };
      const line = JSON.stringify(message);
      if (line === sent) continue;
      subscription.sent = line;
      this.socket.sendLine(line);
    }
    this.dirty.clear();
  }

  private receive(line: string): void {
    let message: MemberMessage;
    try {
      message = readMemberMessage(line);
      if (this.table) this.obey(message, this.table);
      else this.greet(message);
      this.heard();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse(`${error.message} came`);
    }
  }

  private greet(message: MemberMessage): void {
    const { token } = this.host;
    if (message.op === 'hello' && !this.hello) {
      if (message.protocol !== PROTOCOL) {
        return this.refuse(`the holder speaks protocol ${PROTOCOL}, not ${message.protocol}`);
      }
      this.hello = message;
      if (token === undefined) return this.welcome(message);
      const proof = prove(token, 'holder', message.nonce);
      return this.say({ op: 'challenge', nonce: this.nonce, proof });
    }
    if (message.op === 'proof' && this.hello && token !== undefined) {
      if (sameProof(message.proof, prove(token, 'member', this.nonce)))
        return this.welcome(this.hello);
      return this.refuse('the token is another');
    }
    throw new ProtocolError('a message out of turn');
  }

  private welcome(hello: MemberMessage & { op: 'hello' }): void {
    this.cancelHandshake();
    if (hello.returning) this.host.returned();
    this.table = this.host.table(hello.namespace);
    this.stopListening = this.table.onChange((service) => this.changed(service));
    this.say({ op: 'welcome', protocol: PROTOCOL });
  }

  private obey(message: MemberMessage, table: InstanceTable<Member>): void {
    switch (message.op) {
      case 'put':
        table.put(message.instance, this);
        this.registered.add(message.instance.id);
        return this.say({ op: 'done', id: message.id });
      case 'delete':
        table.remove(message.instance, this);
        this.registered.delete(message.instance);
        return this.say({ op: 'done', id: message.id });
      case 'watch':
        this.subscriptions.set(message.id, { service: message.service });
        return this.flushSoon();
      case 'unwatch':
        this.subscriptions.delete(message.id);
        return;
      default:
        throw new ProtocolError('a message out of turn');
    }
  }

  /** Begins to wait for the next word. */
  private heard(): void {
    this.cancelSilence();
    this.cancelSilence = () => {};
    const { hello } = this;
    if (!hello || this.registered.size === 0) return;
    this.cancelSilence = whenSilent(this.host.clock, hello.ttl, () => {
      this.table?.removeAllOf(this);
      // Whoever wakes up and reads this knows that the holder lives, and that only it was taken out.
      this.dismiss(`no word within ${hello.ttl} ms`);
    });
  }

  /** Whoever does not greet may not read a farewell either, and would stay. */
  private late(): void {
    this.dismiss('no handshake came');
  }

  private dismiss(reason: string): void {
    this.refuse(reason);
    this.cancelHandshake = this.host.clock.after(FAREWELL, () => this.destroy());
  }

  private refuse(reason: string): void {
    this.say({ op: 'refused', reason });
    this.socket.end();
  }

  private say(message: HolderMessage): void {
    this.socket.send(message);
  }

  private closed(): void {
    this.cancelHandshake();
    this.cancelSilence();
    this.stopListening();
    this.table?.removeAllOf(this);
    this.host.left(this);
  }
}
