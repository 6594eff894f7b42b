import type { Clock } from '../../common/clock.js';
import { milliseconds } from '../../common/duration.js';
import type { RequestContext } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { Retries } from '../retries.js';
import type { UpstreamCall } from '../upstream-call.js';
import { CallCancelledError, DeadlineExceededError } from '../upstream.errors.js';
import { HedgedRequest } from './hedged-request.js';
import { PromisedCall } from './promised-call.js';
import { type RequestText, SAFE, type UpstreamRequest, writeRequest } from './upstream-request.js';
import type { UpstreamResponse } from './upstream-response.js';

/** Who carries promised calls. */
export interface CallCarrier {
  readonly name: string;
  readonly timeouts: { readonly response: number };
  dispatch(call: UpstreamCall): void;
  cancel(call: UpstreamCall): void;
}

/** What promised calls need beside their carrier. */
export interface RequestParts {
  readonly clock: Clock;
  readonly context?: RequestContext | undefined;
  readonly retries: Retries;
  /** After how many ms a read is asked of a second instance. */
  readonly hedgeAfter?: number | undefined;
}

/** A call that is to be awaited, and how to make one. */
export interface PromisedRequest {
  readonly call: PromisedCall;
  readonly answer: Promise<UpstreamResponse>;
}

/** Makes a call and waits for the head of its answer. */
export async function requestUpstream(
  carrier: CallCarrier,
  parts: RequestParts,
  request: UpstreamRequest,
): Promise<UpstreamResponse> {
  const text = writeRequest(request);
  const { signal } = request;
  if (signal?.aborted) throw new CallCancelledError(carrier.name);
  const deadline = deadlineOf(parts, request);
  if (deadline !== undefined && deadline <= parts.clock.now()) {
    throw new DeadlineExceededError(carrier.name);
  }
  const abandoned = parts.context?.signal;
  if (abandoned?.aborted) throw new CallCancelledError(carrier.name);
  const make = (accepts?: (endpoint: Endpoint) => boolean) =>
    promise(carrier, parts, { text, deadline, signal, abandoned, accepts });
  const { hedgeAfter } = parts;
  if (hedgeAfter === undefined || text.body !== undefined || !SAFE.has(text.method)) {
    return make().answer;
  }
  return new HedgedRequest(make, parts.retries.budget, parts.clock).ask(hedgeAfter);
}

/** When the call must be over: by its own time limit, or by that of the request it is made for. */
function deadlineOf(
  { clock, context }: RequestParts,
  request: UpstreamRequest,
): number | undefined {
  const scope = context?.current?.deadline;
  if (request.timeout === undefined) return scope;
  const own = clock.now() + milliseconds(request.timeout);
  return scope === undefined ? own : Math.min(own, scope);
}

interface Wish {
  readonly text: RequestText;
  readonly deadline: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly abandoned: AbortSignal | undefined;
  readonly accepts: ((endpoint: Endpoint) => boolean) | undefined;
}

function promise(carrier: CallCarrier, { clock }: RequestParts, wish: Wish): PromisedRequest {
  const { text, deadline, signal, abandoned, accepts } = wish;
  let made: PromisedCall | undefined;
  const answer = new Promise<UpstreamResponse>((resolve, reject) => {
    made = new PromisedCall({
      service: carrier.name,
      request: text,
      responseTimeout: carrier.timeouts.response,
      clock,
      deadline,
      abandoned,
      accepts,
      cancel: (cancelled) => carrier.cancel(cancelled),
      resolve,
      reject,
    });
    if (signal !== undefined || deadline !== undefined) made.watch(signal);
    carrier.dispatch(made);
  });
  return { call: made as unknown as PromisedCall, answer };
}
