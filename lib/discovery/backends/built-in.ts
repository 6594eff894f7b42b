import { refuse } from '../../common/option-readers.js';
import type { BackendFactory } from '../discovery-backend.js';
import { consul } from './consul.backend.js';
import { embedded } from './embedded.backend.js';
import { etcd } from './etcd.backend.js';
import { eureka } from './eureka.backend.js';
import { kubernetes } from './kubernetes.backend.js';
import { memory } from './memory.backend.js';
import { redis } from './redis.backend.js';

/** The backends that a name alone can make, with their defaults. */
export const builtInBackends = {
  memory: () => memory(),
  embedded: () => embedded(),
  consul: () => consul(),
  etcd: () => etcd(),
  redis: () => redis(),
  kubernetes: () => kubernetes(),
  eureka: () => eureka(),
} as const satisfies Readonly<Record<string, () => BackendFactory>>;

/** The name of a backend that needs no options, such as `'consul'`. */
export type BuiltInBackend = keyof typeof builtInBackends;

/** What the environment says of the registry. */
export interface RegistryEnvironment {
  readonly DISCOVERY_URL?: string;
  readonly DISCOVERY_TOKEN?: string;
  readonly CONSUL_HTTP_ADDR?: string;
}

/**
 * What is used when nothing is configured: the registry that `DISCOVERY_URL` names (`tcp://registry:7946`), else Consul where
 * the environment names an agent, else the embedded registry.
 */
export function defaultBackend(env: RegistryEnvironment): BackendFactory {
  const { DISCOVERY_URL: url, DISCOVERY_TOKEN: token } = env;
  if (url) {
    if (!url.startsWith('tcp://')) {
      refuse('DISCOVERY_URL', `is '${url}'`, "Write it like 'tcp://registry:7946'.");
    }
    return embedded({ url, ...(token && { token }) });
  }
  return builtInBackends[env.CONSUL_HTTP_ADDR ? 'consul' : 'embedded']();
}
