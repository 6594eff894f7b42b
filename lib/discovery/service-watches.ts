import { Inject, Injectable, Logger } from '@nestjs/common';
import { type Observable, ReplaySubject } from 'rxjs';
import { Clock } from '../common/clock.js';
import { EventHub } from '../common/event-hub.js';
import { Live } from '../common/live.js';
import { isServiceName } from '../common/service-identity.js';
import { ServiceNameError } from './discovery.errors.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from './discovery.options.js';
import { patient } from './patient-stream.js';
import { Reachability } from './reachability.js';
import { ScreenedSource } from './screened-source.js';
import type { ServiceView } from './service-view.js';
import { ServiceWatch, type ServiceWatchContext } from './service-watch.js';

/** The longest waits before a broken stream is opened again, in ms: for one of them, and for all others. */
const SOON = 1_500;
const LATE = 15_000;

/**
 * Every service that is watched, and the list of all services; each watch opens when it is first asked for.
 *
 * A watch stays open until the application ends: what was called once is called again.
 */
@Injectable()
export class ServiceWatches {
  private readonly logger = new Logger('Discovery');
  private readonly open = new Map<string, ServiceWatch>();
  private list: Live<readonly string[]> | undefined;
  private readonly aged = new Set<string>();
  private closed = false;
  private readonly end = new ReplaySubject<void>(1);

  constructor(
    private readonly source: ScreenedSource,
    @Inject(DISCOVERY_SETTINGS) private readonly settings: DiscoverySettings,
    private readonly clock: Clock,
    private readonly events: EventHub,
    private readonly reachability: Reachability,
  ) {
    reachability.onReturn(() => this.retry());
  }

  /** The watch of a service; throws `ServiceNameError` when no service can have that name. */
  get(service: string): ServiceWatch {
    return this.open.get(service) ?? this.begin(service);
  }

  /** The views that the registry does not confirm at the moment. */
  get stale(): readonly ServiceView[] {
    return [...this.aged].flatMap((service) => this.open.get(service)?.view ?? []);
  }

  /** What is known of every service that is watched and has been answered. */
  views(): readonly ServiceView[] {
    return [...this.open.values()].filter((watch) => watch.answered).map(({ view }) => view);
  }

  /** The names of all services. */
  get services(): Live<readonly string[]> {
    return (this.list ??= this.beginList());
  }

  /** Emits once when everything has ended. */
  get ended(): Observable<void> {
    return this.end;
  }

  /** Ends every stream; what is known stays readable. */
  close(): void {
    this.closed = true;
    for (const watch of this.open.values()) watch.close();
    this.list?.close();
    this.end.next();
  }

  private begin(service: string): ServiceWatch {
    if (!isServiceName(service)) throw new ServiceNameError(service);
    const watch = new ServiceWatch(service, this.contextOf(`instances of ${service}`));
    if (this.closed) watch.close();
    this.open.set(service, watch);
    return watch;
  }

  private contextOf(what: string): ServiceWatchContext {
    const { emptyHold, returnHold, heartbeat } = this.settings;
    return {
      source: this.source,
      clock: this.clock,
      // The first of them looks often whether the registry is back; the others are told.
      mostWait: this.open.size === 0 ? SOON : LATE,
      emptyHold,
      returnHold: returnHold ?? this.source.returnHold ?? heartbeat.ttl,
      onView: (view) => {
        this.noteAge(view);
        if (view.added.length + view.removed.length + view.changed.length === 0) return;
        this.events.emit('instances.changed', { view });
      },
      onBroken: (error) => this.reachability.failed(what, error),
      onAnswer: () => this.reachability.succeeded(what),
      onListenerError: (error) => this.report(error),
      warn: (message) => this.logger.warn(message),
    };
  }

  private noteAge({ service, stale, staleSince: since }: ServiceView): void {
    if (this.aged.has(service) === stale) return;
    if (stale) this.aged.add(service);
    else this.aged.delete(service);
    this.events.emit('view.aged', { service, stale, ...(since !== undefined && { since }) });
  }

  private beginList(): Live<readonly string[]> {
    const { clock } = this;
    const onError = (error: unknown) => this.reachability.failed('services', error);
    const list = new Live<readonly string[]>({
      clock,
      open: (signal) => patient(this.source.services(signal), { clock, signal, onError }),
      onError,
      backoff: { most: this.open.size === 0 ? SOON : LATE },
      onListenerError: (error) => this.report(error),
    });
    list.onChange(() => this.reachability.succeeded('services'));
    if (this.closed) list.close();
    return list;
  }

  private retry(): void {
    for (const watch of this.open.values()) watch.retry();
    this.list?.retry();
  }

  private report(error: unknown): void {
    this.logger.error(
      'A listener to discovery threw',
      error instanceof Error ? error.stack : String(error),
    );
  }
}
