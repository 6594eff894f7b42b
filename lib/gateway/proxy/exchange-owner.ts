import type { Route } from '../routes/route.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { NodeExchange } from './node-exchange.js';
import type { Exchange } from './exchange.js';

/** Who is told when an exchange is over, and knows what it needs to know on its way. */
export interface ExchangeOwner {
  /** Milliseconds that only ever go forward. */
  now(): number;
  onFinished(exchange: Exchange): void;
  /** A recorded request goes to an endpoint: begins that step of its trace, and gives the lines that tell it. */
  linesTo(exchange: Exchange, endpoint: Endpoint): string;
  /** A filter of a route threw, or forgot its request. */
  onFilterFailed(route: Route, error: unknown): void;
  /** Asks the door of the exchange's route, if it has one; then it proceeds. */
  admit(exchange: NodeExchange, proceed: () => void): void;
  /** The route of an id, of now. */
  routeOf(id: string): Route | undefined;
  /** Does something after a delay in ms. */
  after(delay: number, task: () => void): void;
}
