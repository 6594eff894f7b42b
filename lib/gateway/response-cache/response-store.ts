import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import type { CachedResponse } from './cached-response.js';

/** How many answers of one address are kept side by side, one for each way it varies. */
const MOST_VARIANTS = 64;

interface Kept {
  readonly responses: readonly CachedResponse[];
  readonly size: number;
}

/** What is kept of answers, over all routes with a response cache. */
export interface ResponseCacheFigures {
  readonly responses: number;
  readonly bytes: number;
}

/**
 * The answers that the gateway keeps, in bounded memory; those that were not asked for the longest go first.
 *
 * @example
 * responseStore.clear(); // what is asked for next is fetched anew
 */
@Injectable()
export class ResponseStore {
  /** In the order of their last use. */
  private readonly kept = new Map<string, Kept>();
  private readonly most: { readonly bytes: number; readonly responses: number };
  private bytes = 0;
  private responses = 0;
  private copying = 0;

  constructor(@Inject(GATEWAY_SETTINGS) settings: Pick<GatewaySettings, 'responseCache'>) {
    this.most = settings.responseCache;
  }

  get figures(): ResponseCacheFigures {
    return { responses: this.responses, bytes: this.bytes };
  }

  /** Forgets all answers. */
  clear(): void {
    for (const key of this.kept.keys()) this.forget(key);
  }

  /** @internal The answers of an address, the newest first; they count as used. */
  get(key: string): readonly CachedResponse[] {
    const known = this.kept.get(key);
    if (known === undefined) return [];
    this.kept.delete(key);
    this.kept.set(key, known);
    return known.responses;
  }

  /** @internal Keeps an answer, in place of another one. */
  put(key: string, response: CachedResponse, before: CachedResponse | undefined): void {
    const size = key.length + response.size;
    const others = (this.kept.get(key)?.responses ?? []).filter((each) => each !== before);
    this.forget(key);
    if (size > this.most.bytes || this.most.responses === 0) return;
    this.keep(key, [response, ...others].slice(0, MOST_VARIANTS));
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.most.bytes && this.responses <= this.most.responses) return;
      if (oldest !== key) this.forget(oldest);
      // Only the ways of this one address are left.
      else this.keep(key, [response]);
    }
  }

  /** @internal Forgets one answer of an address, or all of them. */
  remove(key: string, response?: CachedResponse): void {
    const others = (this.kept.get(key)?.responses ?? []).filter(
      (each) => response !== undefined && each !== response,
    );
    this.forget(key);
    if (others.length > 0) this.keep(key, others);
  }

  /** @internal Whether so many bytes more may be in memory for answers that are on their way. */
  reserve(bytes: number): boolean {
    if (this.copying + bytes > this.most.bytes) return false;
    this.copying += bytes;
    return true;
  }

  /** @internal */
  release(bytes: number): void {
    this.copying -= bytes;
  }

  private keep(key: string, responses: readonly CachedResponse[]): void {
    this.forget(key);
    const size = responses.reduce((sum, each) => sum + each.size, key.length);
    this.kept.set(key, { responses, size });
    this.bytes += size;
    this.responses += responses.length;
  }

  private forget(key: string): void {
    const known = this.kept.get(key);
    if (known === undefined) return;
    this.kept.delete(key);
    this.bytes -= known.size;
    this.responses -= known.responses.length;
  }
}
