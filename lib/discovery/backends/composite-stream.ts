import { messageOf } from '../../common/errors.js';
import { Live } from '../../common/live.js';
import type { BackendContext, DiscoveryBackend } from '../discovery-backend.js';
import { Newest } from './newest.js';

/** Opens a member's stream. */
export type Open<T> = (member: DiscoveryBackend, signal: AbortSignal) => AsyncIterable<T>;

/** Decides by what all members say, in their order. */
export type Choose<T> = (voices: readonly Voice<T>[]) => T;

/** What a member says at the moment. */
interface Voice<T> {
  readonly latest: T | undefined;
  /** Whether it does not answer. */
  readonly broken: boolean;
}

export interface CompositeStreamOptions<T> {
  readonly members: readonly DiscoveryBackend[];
  readonly context: BackendContext;
  /** Its name in a warning. */
  readonly what: string;
  readonly open: Open<T>;
  readonly choose: Choose<T>;
}

/** The streams of several backends as one: it fails only when all of them fail. */
export class CompositeStream<T> {
  private readonly newest = new Newest<T>();
  private readonly members: readonly Member<T>[];

  constructor(private readonly options: CompositeStreamOptions<T>) {
    this.members = options.members.map((backend) => ({ backend, broken: false, live: undefined }));
  }

  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    if (signal.aborted) return;
    for (const member of this.members) this.listen(member);
    try {
      yield* this.newest.read(signal);
    } finally {
      for (const { live } of this.members) live?.close();
    }
  }

  private listen(member: Member<T>): void {
    const live = new Live<T>({
      clock: this.options.context.clock,
      open: (signal) => this.options.open(member.backend, signal),
      onError: (error) => this.onBroken(member, error),
    });
    member.live = live;
    live.onChange(() => {
      member.broken = false;
      this.tell();
    });
  }

  private onBroken(member: Member<T>, error: unknown): void {
    if (this.members.every((each) => each === member || each.broken)) {
      this.newest.fail(error);
    } else if (!member.broken) {
      this.options.context.warn(
        `The registry "${member.backend.name}" does not answer (${this.options.what}: ${messageOf(error)}). The others are asked meanwhile.`,
      );
    }
    member.broken = true;
    this.tell();
  }

  /** Nothing is said before everyone has said something, or failed: the first could be about to. */
  private tell(): void {
    const voices = this.members.map(({ live, broken }) => ({ latest: live?.latest, broken }));
    if (voices.every(({ broken }) => broken)) return;
    if (voices.some(({ latest, broken }) => latest === undefined && !broken)) return;
    this.newest.push(this.options.choose(voices));
  }
}

interface Member<T> {
  readonly backend: DiscoveryBackend;
  broken: boolean;
  live: Live<T> | undefined;
}
