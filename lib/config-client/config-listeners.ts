import type { ConfigChange } from './config-client.events.js';

/** Hears of the changes of some keys. */
export type ConfigListener = (change: ConfigChange) => unknown;

/** Where a pattern of keys begins, and whether the key itself counts. */
interface Heard {
  readonly listener: ConfigListener;
  /** `'db.*'` is for what lies below `db`; `'db'` for `db` itself too. */
  readonly self: boolean;
  /** Whoever came first is told first. */
  readonly place: number;
}

/**
 * Who listens to which keys: a change of one key asks the few steps above it and touches nobody else, however many
 * listen.
 */
export class ConfigListeners {
  private readonly listeners = new Map<string, Set<Heard>>();
  private places = 0;

  /** Adds a listener for `'db.url'` and what is below it, `'db.*'` for what is below, or `'*'`; returns how to stop. */
  add(pattern: string, listener: ConfigListener): () => void {
    const base = pattern === '*' ? '' : pattern.replace(/\.\*$/, '');
    const heard = { listener, self: base === pattern || base === '', place: this.places++ };
    const known = this.listeners.get(base) ?? new Set<Heard>();
    this.listeners.set(base, known.add(heard));
    return () => {
      known.delete(heard);
      if (known.size === 0 && this.listeners.get(base) === known) this.listeners.delete(base);
    };
  }

  /** The listeners that a change concerns, each with the change as it is for them. */
  *concerned(change: ConfigChange): Iterable<readonly [ConfigListener, ConfigChange]> {
    const keys = new Map<Heard, string[]>();
    for (const key of change.keys) {
      for (const base of basesOf(key)) {
        for (const heard of this.listeners.get(base) ?? []) {
          if (base === key && !heard.self) continue;
          const known = keys.get(heard);
          if (known) known.push(key);
          else keys.set(heard, [key]);
        }
      }
    }
    const inOrder = [...keys].toSorted(([a], [b]) => a.place - b.place);
    for (const [{ listener }, own] of inOrder) yield [listener, { ...change, keys: own }];
  }

  /** What is listened to. */
  get patterns(): readonly string[] {
    return [...this.listeners].flatMap(([base, heard]) =>
      [...heard].map(({ self }) => (self ? base : `${base}.*`)),
    );
  }

  clear(): void {
    this.listeners.clear();
  }
}

/** `a.b[0].c` lies below `a.b[0]`, `a.b`, `a` and the whole. */
function* basesOf(key: string): Iterable<string> {
  yield '';
  for (let at = 1; at < key.length; at++) {
    if (key[at] === '.' || key[at] === '[') yield key.slice(0, at);
  }
  yield key;
}
