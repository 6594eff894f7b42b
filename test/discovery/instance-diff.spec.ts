import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { diffInstances } from '../../lib/discovery/instance-diff.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { instance } from './support/controlled-backend.js';

const idsOf = (instances: readonly ServiceInstance[]) => instances.map(({ id }) => id).toSorted();

const find = (instances: readonly ServiceInstance[], wanted: string) =>
  instances.find(({ id }) => id === wanted);

describe('diffInstances', () => {
  it('keeps the objects of instances that did not change, in the order of the new list', () => {
    const [a, b] = [instance({ id: 'a' }), instance({ id: 'b' })];
    const changed = instance({ id: 'b', status: 'down' });
    const inPlace = diffInstances([a, b], [{ ...a }, changed]);
    expect(inPlace).toEqual({ all: [a, changed], added: [], removed: [], changed: [changed] });
    expect(inPlace.all[0]).toBe(a);
    const turned = diffInstances([a, b], [changed, { ...a }]);
    expect(turned).toEqual({ all: [changed, a], added: [], removed: [], changed: [changed] });
    expect(turned.all[1]).toBe(a);
  });

  it('takes the last of several with one id', () => {
    const twice = [instance({ id: 'a' }), instance({ id: 'a', port: 2 })];
    expect(diffInstances([], twice).all).toEqual([twice[1]]);
  });

  it('tells for every two lists what came, went and changed', () => {
    const list = fc.uniqueArray(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), port: fc.constantFrom(1, 2) }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(list, list, (one, other) => {
        const [before, now] = [one.map(instance), other.map(instance)];
        const { all, added, removed, changed } = diffInstances(before, now);
        expect(all).toEqual(now);
        expect(idsOf(added)).toEqual(idsOf(now.filter(({ id }) => !find(before, id))));
        expect(idsOf(removed)).toEqual(idsOf(before.filter(({ id }) => !find(now, id))));
        expect(idsOf(changed)).toEqual(
          idsOf(now.filter(({ id, port }) => (find(before, id)?.port ?? port) !== port)),
        );
        for (const each of all)
          if (!added.includes(each) && !changed.includes(each)) expect(before).toContain(each);
      }),
    );
  });
});
