import { describe, expect, it } from '@jest/globals';
import { Slots } from '../../lib/discovery/backends/consul-slots.js';

describe('Slots', () => {
  it('let so many in, and the next in the order they came when one leaves', async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const enter = async (name: string) => {
      const leave = await slots.take();
      order.push(name);
      return leave;
    };
    const [leaveA, leaveB] = await Promise.all([enter('a'), enter('b')]);
    const [third, fourth] = [enter('c'), enter('d')];
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['a', 'b']);
    leaveB();
    await third;
    expect(order).toEqual(['a', 'b', 'c']);
    leaveA();
    const leaveD = await fourth;
    leaveD();
    (await third)();
    await Promise.all([enter('e'), enter('f')]);
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
