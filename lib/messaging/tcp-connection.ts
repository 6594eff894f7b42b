import { connect, type Socket } from 'node:net';
import {
  IncomingResponseDeserializer,
  type PacketId,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { frame, MessageFrames } from './message-frames.js';

/** How long a connection may be idle before the system asks whether the peer is still there, in ms. */
const KEEP_ALIVE = 15_000;

/** How long an answer that has begun may stand still, in ms; Nest's own limit. */
const STALLED = 30_000;

/** The longest answer in UTF-16 units, and how many bytes may wait to be sent; Nest's own limits. */
const MAX_MESSAGE = 134_217_728;
const MAX_UNSENT = 134_217_728;

/** Who waits for the answers to a message. */
export interface AnswerListener {
  /** An answer; the last one is `isDisposed`. */
  onPacket(packet: WritePacket): void;
  /** The connection has ended before the last answer came, and why. */
  onLost(reason: string): void;
}

/**
 * One connection to one instance that speaks as Nest's TCP transport does; used once and never opened again.
 *
 * What is sent in one go leaves as one: a packet for each message would wake the other side for each.
 */
export class TcpConnection {
  private readonly awaited = new Map<string, AnswerListener>();
  private readonly deserializer = new IncomingResponseDeserializer();
  private readonly frames = new MessageFrames(MAX_MESSAGE, (message) => this.onMessage(message));
  private usable = true;
  private lastId = 0;
  /** What leaves at the end of this turn. */
  private unsent = '';
  private reason = 'it ended before the answer came';
  private endStall: (() => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    socket.on('data', (bytes: Buffer) => this.onData(bytes));
    socket.on('end', () => (this.usable = false));
    socket.on('close', () => this.onClose());
  }

  /** Connects within so many ms, or rejects. */
  static open(host: string, port: number, clock: Clock, limit: number): Promise<TcpConnection> {
    return new Promise((resolve, reject) => {
      const keepAliveInitialDelay = KEEP_ALIVE;
      const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay });
      const cancel = clock.after(limit, () =>
        socket.destroy(new Error(`no connection within ${formatDuration(limit)}`)),
      );
      // An error after that is followed by the end, which whoever waits hears of.
      socket.on('error', reject);
      socket.once('close', cancel);
      socket.once('connect', () => {
        cancel();
        resolve(new TcpConnection(socket, clock));
      });
    });
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.usable;
  }

  /** Sends a message; returns how to hear no more of it. Throws what `JSON.stringify` does, and has sent nothing then. */
  request(packet: ReadPacket, listener: AnswerListener): string {
    const id = String(++this.lastId);
    const sent: ReadPacket & PacketId = Object.assign(packet, { id });
    const text = frame(sent);
    this.awaited.set(id, listener);
    if (this.unsent === '') process.nextTick(() => this.flush());
    this.unsent += text;
    return id;
  }

  /** Nobody wants the answers to a message any more. */
  forget(id: string): void {
    this.awaited.delete(id);
  }

  /** Sends an event; resolves when it has left this process. */
  dispatch(packet: ReadPacket): Promise<void> {
    const text = frame(packet);
    return new Promise((resolve, reject) => {
      if (!this.usable) return reject(new Error(this.reason));
      this.flush();
      this.socket.write(text, 'utf8', (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the connection behind what was sent. */
  close(): void {
    this.flush();
    this.usable = false;
    this.socket.destroySoon();
  }

  private flush(): void {
    const text = this.unsent;
    if (text === '') return;
    this.unsent = '';
    this.socket.write(text, 'utf8');
    if (this.socket.writableLength > MAX_UNSENT) {
      this.end('it reads nothing, and too much waits to be sent');
    }
  }

  private onData(bytes: Buffer): void {
    this.endStall?.();
    this.endStall = undefined;
    try {
      this.frames.take(bytes);
    } catch (error) {
      return this.end(`it sent something else than answers: ${(error as Error).message}`);
    }
    if (!this.frames.isPartial) return;
    this.endStall = this.clock.after(STALLED, () =>
      this.end(`it stopped in the middle of an answer for ${formatDuration(STALLED)}`),
    );
  }

  private onMessage(message: unknown): void {
    const answer = this.deserializer.deserialize(message) as WritePacket & PacketId;
    const listener = this.awaited.get(answer.id);
    if (listener === undefined) return;
    const { err, response } = answer;
    if (!answer.isDisposed && !err) return listener.onPacket({ err, response });
    this.awaited.delete(answer.id);
    listener.onPacket({ err, response, isDisposed: true });
  }

  private end(reason: string): void {
    this.reason = reason;
    this.usable = false;
    this.socket.destroy();
  }

  private onClose(): void {
    this.usable = false;
    this.endStall?.();
    const listeners = [...this.awaited.values()];
    this.awaited.clear();
    for (const listener of listeners) listener.onLost(this.reason);
  }
}
