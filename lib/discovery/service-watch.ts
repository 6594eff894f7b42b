import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { Live } from '../common/live.js';
import { diffInstances } from './instance-diff.js';
import type { InstanceSource } from './instance-source.js';
import { patient } from './patient-stream.js';
import { type ServiceInstance, takesTraffic } from './service-instance.js';
import type { ServiceView } from './service-view.js';

/** What a watch needs, and whom it tells. */
export interface ServiceWatchContext {
  readonly source: InstanceSource;
  readonly clock: Clock;
  /** The longest wait before a broken stream is opened again, in ms. */
  readonly mostWait: number;
  /** How long to doubt that all instances are gone at once, in ms. */
  readonly emptyHold: number;
  /** How long to keep what a registry does not show when it is back, in ms. */
  readonly returnHold: number;
  /** Hears of every new view, before the listeners do. */
  readonly onView: (view: ServiceView) => void;
  readonly onBroken: (error: unknown) => void;
  readonly onAnswer: () => void;
  readonly onListenerError: (error: unknown) => void;
  /** Tells a person something once. */
  readonly warn: (message: string) => void;
}

/**
 * One service that is watched.
 *
 * It believes what the registry shows, with two exceptions, because callers lose more by believing:
 * 1. *Empty hold.* More than one instance gone at once, and none left, is the mark of a wiped agent or a lost token
 *    rather than of a deploy: the last view stays for a while. A single instance that goes is believed at once.
 * 2. *Return hold.* After the stream was broken, a registry often comes back empty and fills as instances register
 *    again: what was known and has not been shown since stays for a while.
 */
export class ServiceWatch {
  private readonly live: Live<readonly ServiceInstance[]>;
  private readonly listeners = new Set<(view: ServiceView) => void>();
  private readonly first: Promise<void>;
  private now: ServiceView;
  private hasAnswer = false;
  private arrived!: () => void;
  /** Whether the stream broke since the last snapshot. */
  private broken = false;
  /** The newest snapshot, as it came. */
  private newest: readonly ServiceInstance[] = [];
  /** Known before the stream broke and not shown since: kept until the return hold is over. */
  private unseen: ReadonlyMap<string, ServiceInstance> = new Map();
  private holding = false;
  private cancelHold: () => void = () => {};
  private cancelReturn: () => void = () => {};

  constructor(
    readonly service: string,
    private readonly context: ServiceWatchContext,
  ) {
    this.now = {
      service,
      instances: [],
      all: [],
      stale: false,
      added: [],
      removed: [],
      changed: [],
    };
    this.first = new Promise((resolve) => (this.arrived = resolve));
    this.live = new Live({
      clock: context.clock,
      open: (signal) => this.open(signal),
      backoff: { most: context.mostWait },
      onError: (error) => this.onBroken(error),
      onListenerError: context.onListenerError,
    });
    this.live.onChange((snapshot) => this.onSnapshot(snapshot));
  }

  /** What is known now; empty before the first answer. */
  get view(): ServiceView {
    return this.now;
  }

  /** Whether the registry has answered yet. */
  get answered(): boolean {
    return this.hasAnswer;
  }

  /** Whether the registry itself shows an instance at the moment, whatever is held. */
  shows(id: string): boolean {
    return this.newest.some((instance) => instance.id === id);
  }

  /** Resolves with the first answer, or when this is closed. */
  ready(): Promise<void> {
    return this.first;
  }

  /** Hears of every view from now on; returns how to stop. */
  onChange(listener: (view: ServiceView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks again now, if the stream is broken. */
  retry(): void {
    this.live.retry();
  }

  /** Ends the watch; the last view stays readable. */
  close(): void {
    this.cancelHold();
    this.cancelReturn();
    this.live.close();
    this.listeners.clear();
    this.arrived();
  }

  private open(signal: AbortSignal): AsyncIterable<readonly ServiceInstance[]> {
    const stream = this.context.source.instances(this.service, signal);
    const onError = (error: unknown) => this.onBroken(error);
    return patient(stream, { clock: this.context.clock, signal, onError });
  }

  private onSnapshot(snapshot: readonly ServiceInstance[]): void {
    this.newest = snapshot;
    const returned = this.broken;
    if (returned) this.beginReturn();
    this.context.onAnswer();
    this.unseen = without(this.unseen, snapshot);
    if (this.isDoubtful(returned)) this.beginHold();
    else this.believe();
  }

  private onBroken(error: unknown): void {
    this.broken = true;
    // What was doubtful stays until the registry is back to say it again.
    this.cancelHold();
    this.holding = false;
    this.context.onBroken(error);
    if (!this.now.stale) this.publish({ ...this.now, ...UNCHANGED, stale: true });
  }

  /** Rule 1; the registry being just back makes even a single one doubtful. */
  private isDoubtful(returned: boolean): boolean {
    if (this.newest.length > 0 || this.unseen.size > 0 || this.context.emptyHold === 0)
      return false;
    return this.holding || this.now.all.length > 1 || (returned && this.now.all.length > 0);
  }

  private beginHold(): void {
    if (this.now.stale) this.publish({ ...this.now, ...UNCHANGED, stale: false });
    if (this.holding) return;
    this.holding = true;
    this.context.warn(
      `The registry shows none of the ${this.now.all.length} instances of "${this.service}" any more. They stay in use for ${formatDuration(this.context.emptyHold)}, in case it is mistaken.`,
    );
    this.cancelHold = this.context.clock.after(this.context.emptyHold, () => this.believe());
  }

  /** Rule 2. */
  private beginReturn(): void {
    this.broken = false;
    const { returnHold, clock } = this.context;
    if (returnHold === 0) return;
    this.unseen = new Map(this.now.all.map((instance) => [instance.id, instance]));
    this.cancelReturn();
    this.cancelReturn = clock.after(returnHold, () => {
      this.unseen = new Map();
      if (!this.broken) this.believe();
    });
  }

  private believe(): void {
    this.cancelHold();
    this.holding = false;
    const diff = diffInstances(this.now.all, [...this.newest, ...this.unseen.values()]);
    const differs = diff.added.length + diff.removed.length + diff.changed.length > 0;
    if (this.hasAnswer && !differs && !this.now.stale) return;
    this.hasAnswer = true;
    const known = differs ? { all: diff.all, instances: diff.all.filter(takesTraffic) } : this.now;
    const { added, removed, changed } = diff;
    const { all, instances } = known;
    this.publish({ service: this.service, instances, all, stale: false, added, removed, changed });
  }

  private publish(view: ServiceView): void {
    this.now = view;
    this.context.onView(view);
    for (const listener of this.listeners) {
      try {
        listener(view);
      } catch (error) {
        this.context.onListenerError(error);
      }
    }
    if (this.hasAnswer) this.arrived();
  }
}

const UNCHANGED = { added: [], removed: [], changed: [] } as const;

function without(
  instances: ReadonlyMap<string, ServiceInstance>,
  shown: readonly ServiceInstance[],
): ReadonlyMap<string, ServiceInstance> {
  if (instances.size === 0) return instances;
  const ids = new Set(shown.map(({ id }) => id));
  return new Map([...instances].filter(([id]) => !ids.has(id)));
}
