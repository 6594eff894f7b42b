import type { IncomingHttpHeaders } from 'node:http';

/** What an operator asks an endpoint. */
export interface ManagementRequest {
  /** In capitals; HEAD comes as GET. */
  readonly method: string;
  /** What stands behind the endpoint's name, decoded: `['ROOT']` of `/loggers/ROOT`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The JSON that was sent; `undefined` when nothing was. */
  readonly body: unknown;
}

/** What it is answered. */
export interface ManagementAnswer {
  /** @default 200 */
  readonly status?: number;
  /** @default 'application/json' */
  readonly contentType?: string;
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown;
}

/**
 * A page for those who run the service, `/management/{id}`; every provider that extends this class is one.
 *
 * It is asked for operators only: who that is has been decided before.
 *
 * @example
 * @Injectable()
 * class QueueEndpoint extends ManagementEndpoint {
 *   override readonly id = 'queue';
 *   constructor(private readonly queue: Queue) { super(); }
 *   override answer() { return { body: { waiting: this.queue.length } }; }
 * }
 */
export abstract class ManagementEndpoint {
  /** What it is called in the path: letters, digits and hyphens; unique in the application. */
  abstract readonly id: string;

  /** The methods it answers; those that change something must be named. @default ['GET'] */
  readonly methods: readonly string[] = ['GET'];

  /** Answers; nothing, where there is no such thing. */
  abstract answer(
    request: ManagementRequest,
  ): ManagementAnswer | undefined | Promise<ManagementAnswer | undefined>;
}
