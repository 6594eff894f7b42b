import { messageOf } from '../../common/errors.js';
import {
  BackendRefusedError,
  BackendUnavailableError,
  RetryLaterError,
} from '../discovery.errors.js';
import { type Fields, object, parse, plain } from './json-fields.js';
import { serviceOf } from './kubernetes-slices.js';
import type { RegistryHttp, RegistryReply, RegistryRequest } from './registry-http.js';

export interface KubernetesWatchOptions {
  readonly http: RegistryHttp;
  readonly host: string;
  readonly namespace: string;
  readonly token: () => string | undefined;
}

/** EndpointSlices by service and by name. */
export type Slices = ReadonlyMap<string, ReadonlyMap<string, Fields>>;

/** How long a list may take, and how long a watch goes on before it is asked for again, in ms. */
const LIST_TIMEOUT = 10_000;
const WATCH = 60_000;
/** The server ends the watch itself before we do. */
const GRACE = 5_000;
const PAGE = '500';

/**
 * A list, and then a watch from where it ended.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class KubernetesWatch {
  constructor(private readonly options: KubernetesWatchOptions) {}

  async *follow(signal: AbortSignal): AsyncGenerator<Slices> {
    try {
      while (!signal.aborted) {
        const slices = new Map<string, Map<string, Fields>>();
        const version = await this.list(slices, signal);
        yield slices;
        yield* this.changes(slices, version, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw this.failure(error);
    }
  }

  /** Reads everything, page by page; the version it is of. */
  private async list(
    slices: Map<string, Map<string, Fields>>,
    signal: AbortSignal,
  ): Promise<string> {
    let next = '';
    for (;;) {
      const query = { limit: PAGE, ...(next && { continue: next }) };
      const reply = await this.options.http.send({
        ...this.request(query),
        timeout: LIST_TIMEOUT,
        signal,
      });
      if (reply.status !== 200) throw this.refusal(reply);
      const page = parse(reply.body);
      if (!Array.isArray(page['items'])) throw new Error('an answer that is no list');
      for (const item of page['items']) keep(slices, object(item));
      const metadata = object(page['metadata']);
      next = typeof metadata['continue'] === 'string' ? metadata['continue'] : '';
      if (next === '') return plain(metadata['resourceVersion']);
    }
  }

  /** Watches on and on; ends when the version is too old (410 Gone) and everything must be read anew. */
  private async *changes(
    slices: Map<string, Map<string, Fields>>,
    from: string,
    signal: AbortSignal,
  ): AsyncGenerator<Slices> {
    for (let version = from; !signal.aborted;) {
      const query = {
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: String(WATCH / 1_000),
      };
      const request = { ...this.request(query), timeout: WATCH + GRACE, signal };
      const lines = this.options.http.lines(request, (reply) => {
        if (reply.status !== 200) throw this.refusal(reply);
      });
      try {
        for await (const line of lines) {
          const event = parse(line);
          const item = object(event['object']);
          if (event['type'] === 'ERROR') throw new WatchError(item);
          // A bookmark says only how far we are, so that the next watch does not begin too early.
          version = versionOf(item) ?? version;
          if (event['type'] === 'BOOKMARK') continue;
          if (event['type'] === 'DELETED') drop(slices, item);
          else keep(slices, item);
          yield slices;
        }
      } catch (error) {
        if (error instanceof GoneError || (error instanceof WatchError && error.gone)) return;
        throw error;
      }
    }
  }

  private request(
    query: Readonly<Record<string, string>>,
  ): Omit<RegistryRequest, 'timeout' | 'signal'> {
    const token = this.options.token();
    const { namespace } = this.options;
    return {
      method: 'GET',
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      query: { ...query, labelSelector: 'kubernetes.io/service-name' },
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    };
  }

  private refusal({ status, body, header }: RegistryReply): Error {
    const { host, namespace } = this.options;
    const reason = body.replaceAll(/\s+/g, ' ').trim().slice(0, 160) || 'no reason given';
    const said = `The Kubernetes API at ${host} answered ${status}: ${reason}`;
    if (status === 410) return new GoneError(said);
    if (status === 429) {
      return new RetryLaterError(`${said}.`, (Number(header('retry-after')) || 2) * 1_000);
    }
    if (status === 401 || status === 403) {
      return new BackendRefusedError(
        `${said}. The service account needs get, list and watch on endpointslices (discovery.k8s.io) in the namespace ${namespace}.`,
      );
    }
    return new BackendUnavailableError(`${said}.`);
  }

  private failure(error: unknown): unknown {
    if (error instanceof BackendRefusedError || error instanceof RetryLaterError) return error;
    if (error instanceof BackendUnavailableError) return error;
    return new BackendUnavailableError(
      `The Kubernetes API at ${this.options.host} cannot be read: ${messageOf(error)}.`,
      error,
    );
  }
}

/** What the server says in a watch in place of an event. */
class WatchError extends Error {
  readonly gone: boolean;

  constructor({ code, message }: Fields) {
    super(typeof message === 'string' ? message : 'the watch failed');
    this.gone = code === 410;
  }
}

/** The version we watch from is not kept any more. */
class GoneError extends BackendUnavailableError {}

function keep(slices: Map<string, Map<string, Fields>>, item: Fields): void {
  const service = serviceOf(item);
  if (service === undefined) return;
  const known = slices.get(service) ?? new Map<string, Fields>();
  slices.set(service, known.set(nameOf(item), item));
}

function drop(slices: Map<string, Map<string, Fields>>, item: Fields): void {
  const service = serviceOf(item);
  const known = service === undefined ? undefined : slices.get(service);
  known?.delete(nameOf(item));
  if (service !== undefined && known?.size === 0) slices.delete(service);
}

function nameOf(item: Fields): string {
  return plain(object(item['metadata'])['name']);
}

function versionOf(item: Fields): string | undefined {
  const version = object(item['metadata'])['resourceVersion'];
  return typeof version === 'string' && version !== '' ? version : undefined;
}
