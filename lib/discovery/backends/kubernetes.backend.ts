import { existsSync, readFileSync } from 'node:fs';
import type { Agent as HttpAgent } from 'node:http';
import { messageOf } from '../../common/errors.js';
import { group, optional, refuse, text, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { ServiceInstance } from '../service-instance.js';
import { readSlices } from './kubernetes-slices.js';
import { KubernetesWatch, type Slices } from './kubernetes-watch.js';
import { makePool, readRegistryUrl } from './registry-address.js';
import { RegistryHttp } from './registry-http.js';
import { readTls, type RegistryTlsOptions } from './registry-tls.js';
import { distinct, SharedStream } from './shared-stream.js';

export interface KubernetesOptions {
  /** The API server. @default the one of the cluster this pod runs in */
  readonly url?: string;
  /** Whose services are found. @default the pod's own namespace */
  readonly namespace?: string;
  /** A file with the token; it is read again for every request, because it changes. @default the pod's service account */
  readonly tokenFile?: string;
  /** The name of the main port of a service. @default 'http', else its first port */
  readonly portName?: string;
  /** @default the certificate authority of the pod's service account */
  readonly tls?: RegistryTlsOptions;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The EndpointSlices of a Kubernetes namespace, listed and watched over one connection; no package is needed.
 *
 * Nothing registers: a Service selects the pods, and a pod's readiness probe is the check, so let it ask `/health/ready`. A
 * pod that ends and still serves is `draining`. The service account needs `get`, `list` and `watch` on `endpointslices` of
 * the group `discovery.k8s.io`.
 *
 * @throws InvalidOptionsError outside of a cluster, when no address is given, or when an option cannot be used
 * @example
 * DiscoveryModule.forRoot({ backend: kubernetes() });
 */
export function kubernetes(options: KubernetesOptions = {}): BackendFactory {
  const settings = readOptions(options, 'kubernetes');
  const url = readUrl(settings.url, process.env);
  const namespace = settings.namespace ?? podNamespace();
  const tokenFile = settings.tokenFile ?? inAccount('token');
  const ca = settings.tls.ca ?? inAccount('ca.crt');
  const tls = { ...settings.tls, ca };
  const known = { url, namespace, tokenFile, tls, portName: settings.portName };
  return (context) => new KubernetesBackend(known, context);
}

const readOptions = group({
  url: optional(textOf()),
  namespace: optional(textOf({ matches: /^[a-z0-9-]{1,63}$/, remedy: 'Write a DNS label.' })),
  tokenFile: optional(textOf()),
  portName: text('http'),
  tls: readTls,
});

interface KubernetesSettings {
  readonly url: URL;
  readonly namespace: string;
  readonly tokenFile: string | undefined;
  readonly tls: ReturnType<typeof readTls>;
  readonly portName: string;
}

class KubernetesBackend implements DiscoveryBackend {
  readonly name = 'kubernetes';
  readonly remote = true;
  readonly source: InstanceSource;
  private readonly pool: HttpAgent;

  constructor(settings: KubernetesSettings, { clock }: BackendContext) {
    const { url, namespace, tokenFile, tls, portName } = settings;
    this.pool = makePool(url, { tls, maxSockets: 4, path: 'kubernetes.tls' });
    const watch = new KubernetesWatch({
      http: new RegistryHttp(url, this.pool, clock),
      host: url.host,
      namespace,
      token: () => readToken(tokenFile),
    });
    this.source = new KubernetesSource(watch, portName);
  }

  close(): Promise<void> {
    this.pool.destroy();
    return Promise.resolve();
  }
}

class KubernetesSource extends InstanceSource {
  private readonly slices: SharedStream<Slices>;

  constructor(
    watch: KubernetesWatch,
    private readonly portName: string,
  ) {
    super();
    this.slices = new SharedStream((signal) => watch.follow(signal));
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    return distinct(this.read((slices) => readSlices(service, slices, this.portName), signal));
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return distinct(this.read((slices) => [...slices.keys()].toSorted(), signal));
  }

  private async *read<T>(pick: (slices: Slices) => T, signal: AbortSignal): AsyncGenerator<T> {
    for await (const slices of this.slices.read(signal)) yield pick(slices);
  }
}

function readUrl(given: string | undefined, env: NodeJS.ProcessEnv): URL {
  const like = 'https://10.96.0.1:443';
  if (given !== undefined) return readRegistryUrl('kubernetes.url', given, { like });
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) {
    refuse(
      'kubernetes.url',
      'is missing, and this is no pod of a cluster',
      'Give the address of the API server, such as that of kubectl proxy: http://127.0.0.1:8001.',
    );
  }
  const name = host.includes(':') ? `[${host}]` : host;
  return readRegistryUrl('KUBERNETES_SERVICE_HOST', `https://${name}:${port}`, { like });
}

function podNamespace(): string {
  const file = inAccount('namespace');
  return file === undefined ? 'default' : readFileSync(file, 'utf8').trim();
}

function inAccount(name: string): string | undefined {
  const file = `${ACCOUNT}/${name}`;
  return existsSync(file) ? file : undefined;
}

function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    return refuse('kubernetes.tokenFile', `cannot be read: ${messageOf(error)}`, 'Mount it.');
  }
}
