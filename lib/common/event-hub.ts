import { Injectable, Logger } from '@nestjs/common';

/**
 * Every fact the rooms announce, by name; each room adds its own by declaration merging.
 *
 * Names are past facts, `noun.verb`: `endpoint.ejected`, `config.changed`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- filled by declaration merging in each room's events file
export interface RookeryEvents {}

export type EventName = keyof RookeryEvents;

type Listener<E> = (event: E) => void;
type AnyListener = (name: EventName, event: RookeryEvents[EventName]) => void;

/**
 * Where rooms announce what has happened, and observers hear of it.
 *
 * @example
 * events.on('circuit.opened', ({ circuit }) => alert(`${circuit} is open`));
 */
@Injectable()
export class EventHub {
  private readonly logger = new Logger('EventHub');
  private readonly listeners = new Map<EventName, Set<Listener<never>>>();
  private readonly anyListeners = new Set<AnyListener>();

  /** Hears of one kind of event; returns how to stop. */
  on<N extends EventName>(name: N, listener: Listener<RookeryEvents[N]>): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  /** Hears of every event; returns how to stop. */
  onAny(listener: AnyListener): () => void {
    this.anyListeners.add(listener);
    return () => this.anyListeners.delete(listener);
  }

  /** Whether anyone hears of a kind of event, so that what happens often need not be told to nobody. */
  hears(name: EventName): boolean {
    return this.anyListeners.size > 0 || (this.listeners.get(name)?.size ?? 0) > 0;
  }

  /** Tells all listeners, at once and in order. A listener that throws harms neither the others nor the caller. */
  emit<N extends EventName>(name: N, event: RookeryEvents[N]): void {
    const listeners = this.listeners.get(name) as Set<Listener<RookeryEvents[N]>> | undefined;
    if (listeners) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          this.complain(name, error);
        }
      }
    }
    for (const listener of this.anyListeners) {
      try {
        listener(name, event);
      } catch (error) {
        this.complain(name, error);
      }
    }
  }

  private complain(name: EventName, error: unknown): void {
    const details = error instanceof Error ? error.stack : error;
    this.logger.error(`A listener of "${name}" threw`, details);
  }
}
