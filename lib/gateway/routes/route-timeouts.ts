import { type Duration, milliseconds } from '../../common/duration.js';
import { duration, group, optional } from '../../common/option-readers.js';

/** How long the parts of a request may take; 0 is for ever. */
export interface RouteTimeouts {
  /** The longest silence within an answer, such as between two events of a stream. @default what `UpstreamModule` says */
  readonly idle?: Duration;
  /** The longest a client may pause within its body; then it is answered 408. @default '30s' */
  readonly bodyIdle?: Duration;
  /** How long a client may leave an answer unread before its connection is closed. @default '30s' */
  readonly readIdle?: Duration;
  /** How long all of it may take, from the head of the request to the end of the answer. @default 0 */
  readonly total?: Duration;
  /** The longest silence of a WebSocket, both ways; most servers send a ping every 20 to 30 s. @default '5m' */
  readonly webSocketIdle?: Duration;
}

/** The same, in ms. */
export interface TimeoutSettings {
  readonly idle: number | undefined;
  readonly bodyIdle: number;
  readonly readIdle: number;
  readonly total: number;
  readonly webSocketIdle: number;
}

/** The fields that the gateway's own timeouts have in common with a route's. */
export const TIMEOUTS = {
  idle: optional(duration(0)),
  bodyIdle: duration('30s'),
  readIdle: duration('30s'),
  total: duration(0),
  webSocketIdle: duration('5m'),
};

const given = optional(duration(0));

/** Checks the timeouts of a route; what is left out stays so. */
export const readRouteTimeouts = optional(
  group({ idle: given, bodyIdle: given, readIdle: given, total: given, webSocketIdle: given }),
);

/** A route's timeouts over those of the gateway. */
export function mergeTimeouts(own: RouteTimeouts = {}, common: TimeoutSettings): TimeoutSettings {
  return {
    idle: inMs(own.idle, common.idle),
    bodyIdle: inMs(own.bodyIdle, common.bodyIdle),
    readIdle: inMs(own.readIdle, common.readIdle),
    total: inMs(own.total, common.total),
    webSocketIdle: inMs(own.webSocketIdle, common.webSocketIdle),
  };
}

function inMs<T>(given: Duration | undefined, otherwise: T): number | T {
  return given === undefined ? otherwise : milliseconds(given);
}
