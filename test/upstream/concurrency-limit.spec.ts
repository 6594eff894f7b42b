import { describe, expect, it } from '@jest/globals';
import { ConcurrencyLimit } from '../../lib/upstream/concurrency-limit.js';

/** A service that does so many things at a time, each in so many ms; what is more waits there. */
class Service {
  now = 0;
  refused = 0;
  answered: number[] = [];
  private readonly ends: { at: number; began: number }[] = [];
  private readonly lanes: number[];

  constructor(
    readonly limit: ConcurrencyLimit,
    width: number,
    public work: number,
  ) {
    this.lanes = Array.from({ length: width }, () => 0);
  }

  /** Requests at a steady rate for so many ms. */
  load(rate: number, time: number): void {
    const end = this.now + time;
    let due = this.now;
    for (; this.now < end; this.now++) {
      this.settle();
      for (; due <= this.now; due += 1_000 / rate) this.send();
    }
  }

  private send(): void {
    if (!this.limit.enter()) {
      this.refused++;
      return;
    }
    const lane = this.lanes.indexOf(Math.min(...this.lanes));
    const at = Math.max(this.now, this.lanes[lane] ?? 0) + this.work;
    this.lanes[lane] = at;
    this.ends.push({ at, began: this.now });
  }

  private settle(): void {
    this.ends.sort((one, other) => one.at - other.at);
    while ((this.ends[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) {
      const { began } = this.ends.shift() as { began: number };
      this.limit.leave();
      this.answered.push(this.now - began);
      this.limit.answered(this.now - began, this.now);
    }
  }
}

const SETTINGS = { min: 16, max: 4_096, tolerance: 2, latency: 200 };

describe('the concurrency limit', () => {
  it('refuses nobody while all is well, however much is under way', () => {
    const service = new Service(new ConcurrencyLimit(SETTINGS), 200, 50);
    service.load(200, 3_000);
    service.load(2_000, 5_000);
    expect(service.refused).toBe(0);
  });

  it('keeps latency bounded at twice the capacity, and throughput where it was', () => {
    // 4 at a time and 20 ms each: 200 a second.
    const service = new Service(new ConcurrencyLimit(SETTINGS), 4, 20);
    service.load(100, 3_000);
    service.load(400, 4_000);
    service.answered = [];
    service.refused = 0;
    service.load(400, 10_000);
    expect(Math.max(...service.answered)).toBeLessThan(400);
    expect(service.answered.length).toBeGreaterThan(1_900);
    expect(service.refused).toBeGreaterThan(1_500);
    // And it is over when the load is.
    service.load(100, 1_000);
    service.refused = 0;
    service.load(100, 5_000);
    expect(service.refused).toBe(0);
  });

  it.each([0, 60])(
    'keeps latency bounded from the first moment of twice the capacity on, after %i calls a second',
    (calm) => {
      // 3 at a time and 15 ms each: 200 a second.
      const service = new Service(new ConcurrencyLimit(SETTINGS), 3, 15);
      if (calm > 0) service.load(calm, 3_000);
      service.answered = [];
      service.load(400, 8_000);
      expect(Math.max(...service.answered)).toBeLessThan(500);
      expect(service.answered.length).toBeGreaterThan(1_500);
    },
  );

  it('bears a queue that grows for a moment, and one that is as long as ever', () => {
    const service = new Service(new ConcurrencyLimit(SETTINGS), 10, 10);
    service.load(500, 3_000);
    // 1,000 a second are answered.
    service.load(1_500, 250);
    service.load(500, 3_000);
    service.load(900, 5_000);
    expect(service.refused).toBe(0);
  });

  it('refuses nobody for a moment in which the whole machine stood still', () => {
    const service = new Service(new ConcurrencyLimit(SETTINGS), 200, 5);
    service.load(200, 3_000);
    service.work = 300;
    service.load(200, 350);
    service.work = 5;
    service.load(200, 3_000);
    expect(service.refused).toBe(0);
  });

  it('refuses nobody on a machine that is starved again and again, as long as it gets everything done', () => {
    const service = new Service(new ConcurrencyLimit(SETTINGS), 200, 5);
    service.load(200, 3_000);
    for (let times = 0; times < 20; times++) {
      service.work = 450;
      service.load(200, 600);
      service.work = 30;
      service.load(200, 300);
    }
    expect(service.refused).toBe(0);
  });

  it('lets a service be slow by nature: one that became ten times slower gets its calls again', () => {
    const service = new Service(new ConcurrencyLimit(SETTINGS), 1_000, 20);
    service.load(300, 3_000);
    service.work = 200;
    service.load(300, 20_000);
    service.refused = 0;
    service.load(300, 5_000);
    expect(service.refused).toBe(0);
  });

  it('leaves each of many endpoints its few calls, however slow they are', () => {
    const limit = new ConcurrencyLimit({ ...SETTINGS, max: 400 });
    limit.endpoints = 20;
    const service = new Service(limit, 4, 20);
    service.load(100, 3_000);
    service.load(800, 20_000);
    expect(limit.limit).toBe(160);
  });
});
