import { SystemClock } from '../../../../lib/common/clock.js';
import { Live } from '../../../../lib/common/live.js';
import { embedded } from '../../../../lib/discovery/backends/embedded.backend.js';
import { makeContext, makeInstance } from './backend-fixtures.js';

// A process of a system: registers itself, again whenever the lease is lost, and tells its parent what it sees.
const [port = '', id = ''] = process.argv.slice(2);
const { registry, source } = embedded({ port: Number(port) })(makeContext({ ttl: 60_000 }));

async function register(): Promise<void> {
  try {
    const lease = await registry?.register(makeInstance({ id }), new AbortController().signal);
    await lease?.lost;
  } finally {
    void register();
  }
}

const live = new Live({
  clock: new SystemClock(),
  open: (signal) => source.instances('orders', signal),
});
live.onChange((all) => process.send?.(all.length));
process.on('uncaughtException', () => {});
void register();
// The registry keeps no process alive; the parent does.
setInterval(() => {}, 1_000);
process.on('disconnect', () => process.exit());
