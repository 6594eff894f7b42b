import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { Circuits } from '../../lib/resilience/circuits.js';
import { Pipeline } from '../../lib/resilience/pipeline.js';
import { CircuitBreakers } from '../../lib/resilience/policies/circuit-breaker.policy.js';
import { policySettings } from '../../lib/resilience/policy.options.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

/** Node's own collector, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('10,000 circuits, made and dropped', () => {
  it('leave no circuit, listener or timer behind', async () => {
    const clock = new FakeClock();
    const breakers = new CircuitBreakers(clock);
    await breakers.load();
    const parts = { clock, hub: new EventHub(), circuits: new Circuits(), breakers };
    const settings = policySettings({}, 'policy');
    const round = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const pipeline = new Pipeline(`policy-${i}`, settings, parts);
        if (i % 100 === 0) {
          await pipeline.run({
            task: () => i,
            signal: undefined,
            key: undefined,
            fallback: undefined,
            deadline: Number.POSITIVE_INFINITY,
          });
        }
        pipeline.close();
      }
    };
    await round(1_000);
    const gc = collector();
    gc();
    const before = process.memoryUsage().heapUsed;
    await round(10_000);
    expect(parts.circuits.all()).toEqual([]);
    expect(clock.waiting).toBe(0);
    expect(breakers.listeners).toBe(0);
    gc();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000);
  }, 60_000);
});
