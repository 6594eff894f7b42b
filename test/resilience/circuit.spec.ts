import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { EventHub } from '../../lib/common/event-hub.js';
import type { CircuitOptions } from '../../lib/resilience/circuit-view.js';
import { circuitSettings } from '../../lib/resilience/circuit.options.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { Circuit } from '../../lib/resilience/circuit.js';

function make(given: CircuitOptions = {}) {
  const options = { openFor: '5s', ...given } as const;
  const clock = new FakeClock();
  const events = new EventHub();
  const happened: string[] = [];
  events.onAny((name) => happened.push(name));
  const circuit = new Circuit('orders', circuitSettings(options, 'circuit'), clock, events);
  const call = (well: boolean) => {
    if (!circuit.allow()) return false;
    if (well) circuit.succeeded(circuit.generation, clock.now());
    else circuit.failed(circuit.generation, clock.now());
    return true;
  };
  const open = () => {
    while (circuit.state !== 'open') call(false);
  };
  return { clock, circuit, happened, call, open };
}

describe('Circuit', () => {
  it('stays closed below the minimum of calls', () => {
    const { circuit, call } = make({ minimumCalls: 10 });
    for (let i = 0; i < 9; i++) call(false);
    expect(circuit).toMatchObject({ state: 'closed', calls: 9, failures: 9 });
  });

  it('opens at the failure rate', () => {
    const { circuit, call, happened } = make({ minimumCalls: 10, failureRate: 50 });
    for (let i = 0; i < 5; i++) call(true);
    for (let i = 0; i < 4; i++) call(false);
    expect(circuit.state).toBe('closed');
    call(false);
    expect(circuit.state).toBe('open');
    expect(happened).toEqual(['circuit.opened']);
  });

  it('opens with the call that completes the minimum, even if that one ends well', () => {
    const { circuit, call } = make({ minimumCalls: 10 });
    for (let i = 0; i < 9; i++) call(false);
    call(true);
    expect(circuit.state).toBe('open');
  });

  it('forgets what is older than its window', async () => {
    const { circuit, call, clock } = make({ minimumCalls: 10, window: '10s' });
    for (let i = 0; i < 9; i++) call(false);
    await clock.advance(11_000);
    expect(circuit.calls).toBe(0);
    call(false);
    expect(circuit).toMatchObject({ state: 'closed', calls: 1, failures: 1 });
  });

  it('counts what is within its window, across its pieces', async () => {
    const { circuit, call, clock } = make({ minimumCalls: 10, window: '10s' });
    for (let i = 0; i < 9; i++) {
      call(false);
      await clock.advance(1_000);
    }
    call(false);
    expect(circuit.state).toBe('open');
  });

  it('refuses while it is open, and lets a few through when its time is over', async () => {
    const { circuit, clock, open } = make({ openFor: '5s', halfOpenCalls: 3 });
    open();
    await clock.advance(4_999);
    expect(circuit.allow()).toBe(false);
    await clock.advance(1);
    expect([circuit.allow(), circuit.allow(), circuit.allow()]).toEqual([true, true, true]);
    expect(circuit.state).toBe('half-open');
    expect(circuit.allow()).toBe(false);
  });

  it('closes after enough successes, and begins to count anew', async () => {
    const { circuit, clock, open, call, happened } = make({ halfOpenCalls: 3 });
    open();
    await clock.advance(5_000);
    for (let i = 0; i < 3; i++) expect(call(true)).toBe(true);
    expect(circuit).toMatchObject({ state: 'closed', calls: 0, failures: 0 });
    expect(happened).toEqual(['circuit.opened', 'circuit.half-opened', 'circuit.closed']);
  });

  it('opens again with the first failure while half-open', async () => {
    const { circuit, clock, open, call } = make();
    open();
    await clock.advance(5_000);
    call(true);
    call(false);
    expect(circuit.state).toBe('open');
    await clock.advance(4_999);
    expect(circuit.allow()).toBe(false);
  });

  it('takes the permit of a cancelled call back', async () => {
    const { circuit, clock, open } = make({ halfOpenCalls: 1 });
    open();
    await clock.advance(5_000);
    expect([circuit.allow(), circuit.allow()]).toEqual([true, false]);
    circuit.cancelled(circuit.generation);
    expect(circuit.allow()).toBe(true);
  });

  it('gives permits anew when calls that had them never end', async () => {
    const { circuit, clock, open } = make({ halfOpenCalls: 2, openFor: '5s' });
    open();
    await clock.advance(5_000);
    expect([circuit.allow(), circuit.allow(), circuit.allow()]).toEqual([true, true, false]);
    await clock.advance(5_000);
    expect([circuit.allow(), circuit.allow(), circuit.allow()]).toEqual([true, true, false]);
  });

  it('closes even if every call takes longer than a permit lives', async () => {
    const { circuit, clock, open } = make({ halfOpenCalls: 2, openFor: '1s' });
    open();
    await clock.advance(1_000);
    for (let i = 0; i < 3 && circuit.state !== 'closed'; i++) {
      expect(circuit.allow()).toBe(true);
      const { generation } = circuit;
      await clock.advance(3_000);
      circuit.succeeded(generation, clock.now());
    }
    expect(circuit.state).toBe('closed');
  });

  it('does not listen to calls from before it opened', async () => {
    const { circuit, clock, open } = make({ halfOpenCalls: 1 });
    circuit.allow();
    const { generation } = circuit;
    open();
    circuit.succeeded(generation, clock.now());
    expect(circuit.state).toBe('open');
    await clock.advance(5_000);
    expect(circuit.allow()).toBe(true);
    circuit.failed(generation, clock.now());
    circuit.cancelled(generation);
    expect(circuit.state).toBe('half-open');
    expect(circuit.allow()).toBe(false);
  });

  it('opens when too many calls are slow, and a slow trial call opens it again', async () => {
    const { circuit, clock, happened } = make({
      minimumCalls: 4,
      slowCall: '1s',
      slowCallRate: 50,
      openFor: '5s',
    });
    const call = (took: number) => {
      expect(circuit.allow()).toBe(true);
      circuit.succeeded(circuit.generation, clock.now(), took);
    };
    for (const took of [10, 999, 1_000]) call(took);
    expect(circuit).toMatchObject({ state: 'closed', calls: 3, slowCalls: 1, failures: 0 });
    call(3_000);
    expect(circuit.state).toBe('open');
    await clock.advance(5_000);
    call(2_000);
    expect(circuit.state).toBe('open');
    expect(happened).toEqual(['circuit.opened', 'circuit.half-opened', 'circuit.opened']);
  });

  it('stays open, or out of service, for as long as a person wants', async () => {
    const { circuit, clock, call, happened } = make({ minimumCalls: 2 });
    circuit.forceOpen();
    await clock.advance(60_000);
    circuit.retry();
    expect(circuit.allow()).toBe(false);
    expect(circuit).toMatchObject({ state: 'open', forced: true });
    circuit.disable();
    for (let i = 0; i < 10; i++) expect(call(false)).toBe(true);
    expect(circuit.state).toBe('disabled');
    circuit.forceClose();
    expect(circuit).toMatchObject({ state: 'closed', forced: false, calls: 0 });
    expect(happened).toEqual(['circuit.opened', 'circuit.disabled', 'circuit.closed']);
  });

  it('tries at once when there is reason to', () => {
    const { circuit, open } = make();
    circuit.retry();
    expect(circuit.state).toBe('closed');
    open();
    circuit.retry();
    expect(circuit.state).toBe('half-open');
    expect(circuit.allow()).toBe(true);
  });

  it('never sticks: it closes again once the service is well, whatever happened before', async () => {
    const ACTS = [
      ...['allow', 'allow', 'allow', 'well', 'well', 'slow', 'failed', 'failed', 'cancelled'],
      ...['advance', 'advance', 'retry', 'open', 'close', 'disable'],
    ];
    type Step = { act: string; ms: number; which: number };
    const step: fc.Arbitrary<Step> = fc.record({
      act: fc.constantFrom(...ACTS),
      ms: fc.constantFrom(1, 100, 900, 5_000),
      which: fc.nat(),
    });
    const options = fc.record({
      minimumCalls: fc.integer({ min: 1, max: 5 }),
      failureRate: fc.integer({ min: 1, max: 100 }),
      halfOpenCalls: fc.integer({ min: 1, max: 4 }),
      openFor: fc.constantFrom(100, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { maxLength: 60 }), async (chosen, steps) => {
        const { circuit, clock, call } = make(chosen);
        const underWay: number[] = [];
        for (const { act, ms, which } of steps) {
          if (act === 'advance') await clock.advance(ms);
          else if (act === 'retry') circuit.retry();
          else if (act === 'open') circuit.forceOpen();
          else if (act === 'close') circuit.forceClose();
          else if (act === 'disable') circuit.disable();
          else if (act === 'allow') {
            if (circuit.allow()) underWay.push(circuit.generation);
          } else if (underWay.length > 0) {
            // Any of them, in any order; and some never end.
            const [generation = 0] = underWay.splice(which % underWay.length, 1);
            if (act === 'well') circuit.succeeded(generation, clock.now());
            else if (act === 'slow') circuit.succeeded(generation, clock.now(), 60_000);
            else if (act === 'failed') circuit.failed(generation, clock.now());
            else circuit.cancelled(generation);
          }
          expect(circuit.failures).toBeLessThanOrEqual(circuit.calls);
          expect(circuit.failures).toBeGreaterThanOrEqual(0);
        }
        await clock.advance(15_000);
        // What a person did, only a person takes back.
        if (circuit.forced) circuit.forceClose();
        for (let i = 0; i < chosen.halfOpenCalls + 1; i++) expect(call(true)).toBe(true);
        expect(circuit.state).toBe('closed');
      }),
      { numRuns: 300 },
    );
  });
});
