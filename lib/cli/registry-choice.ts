import { builtInBackends, defaultBackend } from '../discovery/backends/built-in.js';
import { consul } from '../discovery/backends/consul.backend.js';
import { embedded } from '../discovery/backends/embedded.backend.js';
import { etcd } from '../discovery/backends/etcd.backend.js';
import { eureka } from '../discovery/backends/eureka.backend.js';
import { kubernetes } from '../discovery/backends/kubernetes.backend.js';
import { redis } from '../discovery/backends/redis.backend.js';
import type { BackendFactory } from '../discovery/discovery-backend.js';
import { type CliArguments, UsageError } from './cli-arguments.js';

/** The backends whose address can be given. */
const addressed: Readonly<Record<string, (url: string) => BackendFactory>> = {
  consul: (url) => consul({ url }),
  etcd: (url) => etcd({ url }),
  redis: (url) => redis({ url }),
  kubernetes: (url) => kubernetes({ url }),
  eureka: (url) => eureka({ url }),
  embedded: (url) => {
    const token = process.env['DISCOVERY_TOKEN'];
    return embedded({ url, ...(token && { token }) });
  },
};

/** The registry that was asked for, else the one an application would use here. */
export function chooseRegistry({ backend, url }: CliArguments): BackendFactory {
  if (backend === undefined) {
    if (url !== undefined)
      throw new UsageError('With --url comes --backend: which registry is it?');
    return defaultBackend(process.env);
  }
  const make = Object.hasOwn(addressed, backend) ? addressed[backend] : undefined;
  if (!make) {
    throw new UsageError(
      `--backend is '${backend}'. Make it one of ${Object.keys(addressed).join(', ')}.`,
    );
  }
  if (url !== undefined) return make(url);
  return builtInBackends[backend as keyof typeof builtInBackends]();
}
