import type { CandidateLists } from './candidate-lists.js';
import type { Endpoint, EndpointState } from './endpoint.js';
import type { LoadBalancingStrategy } from './load-balancing-strategy.js';

/** Why an endpoint gets no calls, or only the calls that no other can take. */
export type Exclusion = 'leaving or down' | 'not of the subset' | 'ejected' | 'on probation';

/** One endpoint in the eyes of a pick. */
export interface ExplainedEndpoint {
  readonly id: string;
  readonly address: string;
  readonly state: EndpointState;
  readonly active: number;
  /** The smoothed latency, in ms. */
  readonly latency: number;
  readonly weight: number;
  readonly zone?: string;
  /** Whether a pick may choose it now. */
  readonly candidate: boolean;
  /** Why it may not. */
  readonly because?: Exclusion;
  /** What the strategy compares it by, less being better. */
  readonly score?: number;
}

/** How a pick would be made now. */
export interface PickExplanation {
  /** The class of the strategy. */
  readonly strategy: string;
  readonly endpoints: readonly ExplainedEndpoint[];
  /** So many are ejected that this is not believed, and all that can be reached are candidates. */
  readonly panic: boolean;
  /** The caller's own zone, and how much of the traffic stays there, in percent. */
  readonly zone?: { readonly own: string; readonly stays: number };
}

/** What an explanation is made of. */
export interface ExplanationParts<E extends Endpoint> {
  readonly strategy: LoadBalancingStrategy;
  readonly endpoints: readonly E[];
  readonly lists: CandidateLists<E>;
  /** Whether an instance takes traffic by what the registry says, of the subset or not. */
  readonly takes: (endpoint: E) => boolean;
}

/** Explains a pick. */
export function explainPick<E extends Endpoint>(parts: ExplanationParts<E>): PickExplanation {
  const { strategy, endpoints, lists } = parts;
  const { zone, panicking } = lists;
  return {
    strategy: strategy.constructor.name,
    endpoints: endpoints.map((endpoint) => explainEndpoint(endpoint, parts)),
    panic: panicking,
    ...(zone === undefined
      ? {}
      : { zone: { own: zone, stays: Math.round(lists.nearShare * 100) } }),
  };
}

function explainEndpoint<E extends Endpoint>(
  endpoint: E,
  { strategy, lists, takes }: ExplanationParts<E>,
): ExplainedEndpoint {
  const { instance, state, active, latency, weight, authority } = endpoint;
  const candidate = lists.choice.includes(endpoint) || lists.far?.includes(endpoint) === true;
  const because = candidate ? undefined : exclusionOf(endpoint, lists, takes);
  const score = strategy.score(endpoint);
  return {
    id: instance.id,
    address: authority,
    state,
    active,
    latency,
    weight,
    ...(instance.zone === undefined ? {} : { zone: instance.zone }),
    candidate,
    ...(because === undefined ? {} : { because }),
    ...(score === undefined ? {} : { score }),
  };
}

function exclusionOf<E extends Endpoint>(
  endpoint: E,
  lists: CandidateLists<E>,
  takes: (endpoint: E) => boolean,
): Exclusion | undefined {
  if (!takes(endpoint)) return 'leaving or down';
  if (!lists.serving.includes(endpoint)) return 'not of the subset';
  if (endpoint.state === 'ejected') return 'ejected';
  return endpoint.state === 'probation' ? 'on probation' : undefined;
}
