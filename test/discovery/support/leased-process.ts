import { consul } from '../../../lib/discovery/backends/consul.backend.js';
import { embedded } from '../../../lib/discovery/backends/embedded.backend.js';
import { etcd } from '../../../lib/discovery/backends/etcd.backend.js';
import { redis } from '../../../lib/discovery/backends/redis.backend.js';
import { Registration } from '../../../lib/discovery/registration.js';
import { makeContext, makeInstance } from '../backends/support/backend-fixtures.js';

/** What a process says of itself every so often. */
export interface Report {
  /** What it takes for the time of day, in ms since 1970. */
  readonly wallTime: number;
  /** The registry's name to what became of the lease there. */
  readonly leases: Readonly<Record<string, { readonly renewed: number; readonly lost: number }>>;
}

const BACKENDS = {
  consul,
  etcd,
  redis,
  embedded: ({ url }: { readonly url: string }) => embedded({ port: Number(new URL(url).port) }),
};

// A process of its own that keeps an instance registered in several registries: child.ts '{"redis":"redis://…"}' orders-1
const [urls = '{}', id = ''] = process.argv.slice(2);
const registrations: Registration[] = [];
const leases: Record<string, { renewed: number; lost: number }> = {};
for (const [name, url] of Object.entries(JSON.parse(urls) as Record<string, string>)) {
  const context = makeContext();
  const { registry } = BACKENDS[name as keyof typeof BACKENDS]({ url })(context);
  if (!registry) throw new Error(`${name} registers nobody`);
  const lease = (leases[name] = { renewed: 0, lost: 0 });
  registrations.push(
    new Registration({
      registry,
      clock: context.clock,
      heartbeat: context.heartbeat,
      instance: () => makeInstance({ id }),
      isShown: () => undefined,
      onRegistered: () => undefined,
      onLost: () => (lease.lost += 1),
      onFailure: () => undefined,
      onAnswer: () => (lease.renewed += 1),
    }),
  );
}
setInterval(() => process.send?.({ wallTime: Date.now(), leases } satisfies Report), 100);
process.on('disconnect', () => process.exit());
