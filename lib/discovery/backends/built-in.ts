import type { BackendFactory } from '../discovery-backend.js';
import { consul } from './consul.backend.js';
import { embedded } from './embedded.backend.js';
import { memory } from './memory.backend.js';

/** The backends that a name alone can make, with their defaults. */
export const builtInBackends = {
  memory: () => memory(),
  embedded: () => embedded(),
  consul: () => consul(),
} as const satisfies Readonly<Record<string, () => BackendFactory>>;

/** The name of a backend: `'memory'`, `'embedded'` or `'consul'`. */
export type BuiltInBackend = keyof typeof builtInBackends;

/** What is used when nothing is configured: Consul where the environment names an agent, else the embedded registry. */
export function defaultBackend(env: { readonly CONSUL_HTTP_ADDR?: string }): BackendFactory {
  return builtInBackends[env.CONSUL_HTTP_ADDR ? 'consul' : 'embedded']();
}
