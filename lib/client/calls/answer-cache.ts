import type { Clock } from '../../common/clock.js';
import {
  type CachePolicy,
  loadPolicies,
  type PlainHeaders,
  type Policies,
} from '../../common/http-cache-policy.js';
import type { ResponseHeaders } from '../../upstream/request/upstream-response.js';
import type { WholeAnswer } from './whole-answer.js';

interface Kept {
  readonly answer: WholeAnswer;
  readonly policy: CachePolicy;
  readonly size: number;
}

/** Asks the service, with further headers. */
type Ask = (conditions: PlainHeaders) => Promise<WholeAnswer>;

/** What an entry takes beside its body, in bytes. */
const OVERHEAD = 512;

/**
 * Answers to GET that may be kept, as their `Cache-Control` says (RFC 9111). It judges as a shared cache does, because
 * a service answers many people: what is `private` is not kept.
 */
export class AnswerCache {
  private readonly kept = new Map<string, Kept>();
  private policies: Promise<Policies> | undefined;
  private used = 0;

  constructor(
    private readonly clock: Clock,
    /** The most bytes it keeps. */
    private readonly most: number,
  ) {}

  /** The answer of that key: kept and fresh, kept and confirmed by the service, or new. */
  async answer(key: string, headers: PlainHeaders, ask: Ask): Promise<WholeAnswer> {
    const known = this.kept.get(key);
    const request = { method: 'GET', url: '', headers };
    if (known?.policy.satisfiesWithoutRevalidation(request)) {
      this.touch(key, known);
      return known.answer;
    }
    const answer = await ask(known ? conditionsOf(known.policy.revalidationHeaders(request)) : {});
    const response = { status: answer.status, headers: plain(answer.headers) };
    if (known && answer.status === 304) {
      const { policy } = known.policy.revalidatedPolicy(request, response);
      this.keep(key, { ...known, policy });
      return known.answer;
    }
    const judge = await (this.policies ??= loadPolicies(this.clock));
    const policy = judge(headers, response);
    if (policy.storable() && answer.body) {
      this.keep(key, { answer, policy, size: answer.body.length + OVERHEAD });
    } else if (answer.status < 500) this.drop(key);
    return answer;
  }

  /** Forgets every answer whose key begins so: something was written there (RFC 9111, 4.4). */
  forget(prefix: string): void {
    for (const key of this.kept.keys()) if (key.startsWith(prefix)) this.drop(key);
  }

  private keep(key: string, entry: Kept): void {
    this.drop(key);
    if (entry.size > this.most) return;
    this.kept.set(key, entry);
    this.used += entry.size;
    for (const oldest of this.kept.keys()) {
      if (this.used <= this.most) return;
      this.drop(oldest);
    }
  }

  /** A map keeps the order in which its keys came: the first was used longest ago. */
  private touch(key: string, entry: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, entry);
  }

  private drop(key: string): void {
    this.used -= this.kept.get(key)?.size ?? 0;
    this.kept.delete(key);
  }
}

function conditionsOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): PlainHeaders {
  const { 'if-none-match': tag, 'if-modified-since': since } = headers;
  return {
    ...(typeof tag === 'string' ? { 'if-none-match': tag } : {}),
    ...(typeof since === 'string' ? { 'if-modified-since': since } : {}),
  };
}

function plain(headers: ResponseHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}
