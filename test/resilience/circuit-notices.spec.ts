import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { EventHub } from '../../lib/common/event-hub.js';
import { CircuitsModule } from '../../lib/resilience/circuits.module.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { Circuit } from '../../lib/resilience/circuit.js';

const SETTINGS = {
  failureRate: 50,
  slowCallRate: 100,
  slowCall: 60_000,
  minimumCalls: 4,
  window: 10_000,
  openFor: 5_000,
  halfOpenCalls: 1,
};

const OPEN =
  'The circuit of "inventory" is open: 3 of 4 calls failed within 10s. Calls fail at once until it is tried again in 5s.';
const CLOSED = 'The circuit of "inventory" is closed again: its calls succeed.';

describe('what the log says of circuits', () => {
  const said: unknown[] = [];
  let app: TestingModule;
  let clock: FakeClock;
  let circuit: Circuit;

  beforeEach(async () => {
    said.length = 0;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => void said.push(line));
    jest.spyOn(Logger.prototype, 'log').mockImplementation((line) => void said.push(line));
    app = await Test.createTestingModule({ imports: [CircuitsModule] }).compile();
    clock = new FakeClock();
    circuit = new Circuit('inventory', SETTINGS, clock, app.get(EventHub));
    said.length = 0;
  });
  afterEach(async () => {
    await app.close();
    jest.restoreAllMocks();
  });

  function call(ends: 'well' | 'badly'): void {
    circuit.allow();
    if (ends === 'well') circuit.succeeded(circuit.generation, clock.now());
    else circuit.failed(circuit.generation, clock.now());
  }

  function open(): void {
    call('well');
    for (let i = 0; i < 3; i++) call('badly');
    expect(circuit.state).toBe('open');
  }

  it('is that one has opened, with what failed and what happens now', () => {
    open();
    expect(said).toEqual([OPEN]);
  });

  it('is said once, however often it is tried in vain, until it is closed again', async () => {
    open();
    for (let i = 0; i < 3; i++) {
      await clock.advance(5_000);
      call('badly');
    }
    expect(said).toEqual([OPEN]);
    await clock.advance(5_000);
    call('well');
    expect(said).toEqual([OPEN, CLOSED]);
    open();
    expect(said).toEqual([OPEN, CLOSED, OPEN]);
  });

  it('is nothing after the application has ended', async () => {
    await app.init();
    await app.close();
    said.length = 0;
    open();
    expect(said).toEqual([]);
  });
});
