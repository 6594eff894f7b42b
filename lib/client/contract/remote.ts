import type { Duration } from '../../common/duration.js';
import { RookeryError } from '../../common/errors.js';
import type { StandardSchema } from '../../config-client/config-validation.js';

/** How the client calls one method of a contract. */
export interface RemoteOptions {
  /** What the answer must be: a schema of zod, valibot, arktype or any other that speaks Standard Schema. */
  readonly answers?: StandardSchema;
  /** How long a call may take. @default the upstream's timeouts */
  readonly timeout?: Duration;
  /** Whether a call does no harm twice, so that it may be sent again. @default its HTTP method is safe */
  readonly idempotent?: boolean;
  /** Whether identical reads under way are one call. @default as the module says */
  readonly coalesce?: boolean;
}

const REMOTE = Symbol.for('rookery:remote');

/** What a caller may add to one call, as the last parameter of a contract's method, which has no decorator. */
export interface RemoteCallOptions {
  readonly timeout?: Duration;
  /** Gives the call up when it aborts. */
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly idempotencyKey?: string;
}

/**
 * Says how the client calls a method of a contract.
 *
 * @example
 * @Get(':sku')
 * @Remote({ answers: StockItem, timeout: '2s' })
 * find(@Param('sku') sku: string): Promise<StockItem> { return remote(sku); }
 */
export function Remote(options: RemoteOptions): MethodDecorator {
  return (_target, _name, descriptor) => {
    Reflect.defineMetadata(REMOTE, options, descriptor.value as object);
  };
}

/** What `@Remote` says of a method. */
export function remoteOptionsOf(method: object): RemoteOptions {
  return (Reflect.getMetadata(REMOTE, method) as RemoteOptions | undefined) ?? {};
}

/** A method of a contract ran that has no body of its own. */
export class NotRemoteError extends RookeryError {
  constructor() {
    super(
      'A method of a contract was called on an object that is no client of it. Inject the contract, and name it in ClientModule.forFeature([…]).',
      { code: 'ERR_NOT_REMOTE', status: 500 },
    );
  }
}

/**
 * The body of every method of a contract: what it does is done elsewhere. It is never run in a client or a controller.
 *
 * @param _parameters the method's own, so that none looks unused
 * @throws NotRemoteError always
 */
export function remote(..._parameters: readonly unknown[]): never {
  throw new NotRemoteError();
}
