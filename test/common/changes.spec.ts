import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Changes } from '../../lib/common/changes.js';

describe('changes', () => {
  it('wake everyone who waits, and only them', async () => {
    const changes = new Changes();
    const { signal } = new AbortController();
    changes.announce();
    let woken = 0;
    const both = [changes.next(signal), changes.next(signal)].map((each) =>
      each.then(() => woken++),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(0);
    changes.announce();
    await Promise.all(both);
    expect(woken).toBe(2);
  });

  it('end the wait of an aborted signal, and leave nothing on it', async () => {
    const changes = new Changes();
    const abort = new AbortController();
    for (let n = 0; n < 20; n++) {
      const next = changes.next(abort.signal);
      changes.announce();
      await next;
    }
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
    const last = changes.next(abort.signal);
    abort.abort();
    await last;
    await changes.next(abort.signal);
  });
});
