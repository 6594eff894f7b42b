import { isDeepStrictEqual } from 'node:util';
import type { ServiceInstance } from '../service-instance.js';

interface Entry<Owner> {
  readonly instance: ServiceInstance;
  readonly owner: Owner;
}

/** The registrations of one namespace, each with whoever may take it back. */
export class InstanceTable<Owner> {
  private readonly entries = new Map<string, Entry<Owner>>();
  private readonly listeners = new Set<(service: string) => void>();

  /** Writes an instance; one of the same id is replaced, whoever owned it. */
  put(instance: ServiceInstance, owner: Owner): void {
    const before = this.entries.get(instance.id)?.instance;
    this.entries.set(instance.id, { instance, owner });
    if (isDeepStrictEqual(before, instance)) return;
    if (before && before.service !== instance.service) this.tell(before.service);
    this.tell(instance.service);
  }

  /** Takes an instance out, if it still belongs to this owner. */
  remove(id: string, owner: Owner): void {
    const entry = this.entries.get(id);
    if (entry?.owner !== owner) return;
    this.entries.delete(id);
    this.tell(entry.instance.service);
  }

  /** Takes out all that an owner has written. */
  removeAllOf(owner: Owner): void {
    for (const [id, entry] of this.entries) if (entry.owner === owner) this.remove(id, owner);
  }

  /** Takes everything out. */
  clear(): void {
    for (const [id, entry] of this.entries) this.remove(id, entry.owner);
  }

  has(id: string): boolean {
    return this.entries.has(id);
  }

  /** Whether an instance belongs to this owner. */
  belongsTo(id: string, owner: Owner): boolean {
    return this.entries.get(id)?.owner === owner;
  }

  /** The instances of a service, oldest first; with `of` only those of such owners. */
  instances(service: string, of?: (owner: Owner) => boolean): readonly ServiceInstance[] {
    return [...this.entries.values()]
      .filter(({ instance, owner }) => instance.service === service && (of?.(owner) ?? true))
      .map((entry) => entry.instance);
  }

  /** The names of all services that have an instance. */
  services(): readonly string[] {
    const names = new Set([...this.entries.values()].map((entry) => entry.instance.service));
    return [...names].toSorted();
  }

  /** Hears the name of each service whose instances are others than before; returns how to stop. */
  onChange(listener: (service: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(service: string): void {
    for (const listener of this.listeners) listener(service);
  }
}
