import type { Socket } from 'node:net';

/** What is under way on a client's connection, and ends with it. */
export interface ClientBound {
  nextOnConnection: ClientBound | undefined;
  /** The client is gone. */
  abandon(): void;
  /** The connection is to end behind its answer. */
  closeAfter(): void;
}

const CONNECTION = Symbol('rookery.connection');

type KnownSocket = Socket & { [CONNECTION]?: ClientConnection };

/**
 * A client's connection, which serves many requests: what is asked of it once, and the one listener for its end.
 *
 * Pipelined requests are under way together, so they form a list.
 */
export class ClientConnection {
  private first: ClientBound | undefined = undefined;

  private constructor(
    /** The peer's address, an IPv4 one in its usual form. */
    readonly address: string,
    readonly proto: 'http' | 'https',
    /** Whether the peer is a proxy that is trusted. */
    readonly trusted: boolean,
  ) {}

  /** Lets a connection on which nothing more can be read end behind its last answer; false when none is owed. */
  static endBehindAnswers(socket: Socket): boolean {
    const last = (socket as KnownSocket)[CONNECTION]?.first;
    last?.closeAfter();
    return last !== undefined;
  }

  /** The connection of a socket, made with its first request. */
  static of(socket: Socket, isTrusted: (address: string) => boolean): ClientConnection {
    const known = (socket as KnownSocket)[CONNECTION];
    if (known !== undefined) return known;
    const address = plainAddress(socket.remoteAddress);
    const proto = 'encrypted' in socket ? 'https' : 'http';
    const made = new ClientConnection(address, proto, isTrusted(address));
    (socket as KnownSocket)[CONNECTION] = made;
    socket.once('close', () => made.end());
    return made;
  }

  add(bound: ClientBound): void {
    bound.nextOnConnection = this.first;
    this.first = bound;
  }

  remove(bound: ClientBound): void {
    if (this.first === bound) {
      this.first = bound.nextOnConnection;
    } else {
      let before = this.first;
      while (before !== undefined && before.nextOnConnection !== bound)
        before = before.nextOnConnection;
      if (before !== undefined) before.nextOnConnection = bound.nextOnConnection;
    }
    bound.nextOnConnection = undefined;
  }

  private end(): void {
    for (let bound = this.first; bound !== undefined; bound = this.first) {
      this.first = bound.nextOnConnection;
      bound.nextOnConnection = undefined;
      bound.abandon();
    }
  }
}

function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
