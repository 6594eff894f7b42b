import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Clock } from '../../lib/common/clock.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import { HealthCoreModule } from '../../lib/health/health-core.module.js';
import type { CircuitState, CircuitSwitch } from '../../lib/resilience/circuit-view.js';
import { CircuitsContributor } from '../../lib/resilience/circuits.contributor.js';
import { Circuits } from '../../lib/resilience/circuits.js';
import { CircuitsModule } from '../../lib/resilience/circuits.module.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

function circuit(name: string, state: CircuitState): CircuitSwitch {
  return {
    name,
    state,
    forced: false,
    calls: 10,
    failures: state === 'closed' ? 0 : 10,
    slowCalls: 0,
    forceOpen: () => {},
    forceClose: () => {},
    disable: () => {},
  };
}

describe('the health of circuits', () => {
  it('is up without any', () => {
    const contributor = new CircuitsContributor(new Circuits());
    expect(contributor.check()).toEqual({ status: 'up', details: {} });
  });

  it.each<[string, CircuitState[]]>([
    ['up', ['closed', 'closed']],
    ['degraded', ['closed', 'open']],
    ['degraded', ['half-open']],
    ['up', ['disabled']],
  ])('is %s when they are %j', (status, states) => {
    const circuits = new Circuits();
    for (const [i, state] of states.entries()) circuits.add(circuit(`service-${i}`, state));
    expect(new CircuitsContributor(circuits).check().status).toBe(status);
  });

  it('tells of each, and no longer of one that was removed', () => {
    const circuits = new Circuits();
    circuits.add(circuit('orders', 'open'));
    circuits.add(circuit('payments', 'closed'));
    circuits.remove('payments');
    expect(circuits.get('orders')?.state).toBe('open');
    expect(new CircuitsContributor(circuits).check().details).toEqual({
      orders: { state: 'open', calls: 10, failures: 10 },
    });
  });

  it('shows a circuit, and what it counts, without a check after it was made', async () => {
    const app = await Test.createTestingModule({ imports: [HealthCoreModule, CircuitsModule] })
      .overrideProvider(Clock)
      .useValue(new FakeClock())
      .compile();
    await app.init();
    const shown = () => app.get(HealthAggregator).report().checks[0];
    expect(shown()).toMatchObject({ name: 'circuits', details: {} });
    const orders = { ...circuit('orders', 'closed'), calls: 0 };
    app.get(Circuits).add(orders);
    expect(shown()?.details).toEqual({ orders: { state: 'closed', calls: 0, failures: 0 } });
    orders.calls = 3;
    expect(shown()?.details).toEqual({ orders: { state: 'closed', calls: 3, failures: 0 } });
    await app.close();
  });

  it('never makes the service itself look down', () => {
    expect(new CircuitsContributor(new Circuits())).toMatchObject({
      name: 'circuits',
      critical: false,
    });
  });
});
