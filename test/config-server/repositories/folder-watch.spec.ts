import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderWatch } from '../../../lib/config-server/repositories/folder-watch.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { eventually } from '../../support/eventually.js';
import { ConfigFolder } from '../config-apps.js';

let folder: ConfigFolder;
let clock: FakeClock;
let watch: FolderWatch;
const closes: (() => void)[] = [];

beforeEach(async () => {
  folder = new ConfigFolder({ 'a.yml': '1' });
  clock = new FakeClock();
  watch = new FolderWatch(folder.path, clock, 1_000);
  closes.push(await watch.open());
});

afterEach(() => {
  for (const close of closes.splice(0)) close();
  folder.remove();
});

describe('the watch over a folder', () => {
  it('does nothing while nobody has it open', async () => {
    closes.pop()?.();
    expect(clock.waiting).toBe(0);
    folder.write('a.yml', '22');
    await clock.advance(5_000);
    expect(watch.generation).toBe(0);
  });

  it('wakes those who wait, after a moment of quiet', async () => {
    const stop = new AbortController();
    let woken = false;
    void watch.past(0, stop.signal).then(() => (woken = true));
    folder.write('a.yml', '22');
    await eventually(async () => {
      await clock.advance(10);
      expect(woken).toBe(true);
    });
    expect(watch.generation).toBe(1);
    stop.abort();
  });

  it('lets those who wait go when their signal aborts', async () => {
    const stop = new AbortController();
    const waiting = watch.past(0, stop.signal);
    stop.abort();
    await waiting;
    expect(watch.generation).toBe(0);
  });

  it('notices by comparing, where the operating system tells nothing', async () => {
    const other = new ConfigFolder({ 'target.yml': '1' });
    closes.push(() => other.remove());
    symlinkSync(join(other.path, 'target.yml'), join(folder.path, 'link.yml'));
    await eventually(async () => {
      await clock.advance(1_000);
      expect(watch.generation).toBeGreaterThan(0);
    });
    await clock.advance(3_000);
    const before = watch.generation;
    // Nothing happens in the folder itself.
    other.write('target.yml', '22');
    await eventually(async () => {
      await clock.advance(1_000);
      expect(watch.generation).toBeGreaterThan(before);
    });
  });

  it('sees folders within folders, but not hidden ones', async () => {
    mkdirSync(join(folder.path, 'feature/x'), { recursive: true });
    mkdirSync(join(folder.path, '.git'));
    await eventually(async () => {
      await clock.advance(1_000);
      expect(watch.generation).toBeGreaterThan(0);
    });
    folder.write('feature/x/a.yml', '1');
    const before = watch.generation;
    await eventually(async () => {
      await clock.advance(1_000);
      expect(watch.generation).toBeGreaterThan(before);
    });
  });

  it('sees what happens in a folder that was deleted and made anew', async () => {
    const inner = join(folder.path, 'prod');
    const noticed = async (change: () => void) => {
      const before = watch.generation;
      await eventually(async () => {
        change();
        await clock.advance(10);
        expect(watch.generation).toBeGreaterThan(before);
      });
    };
    await noticed(() => mkdirSync(inner, { recursive: true }));
    await noticed(() => rmSync(inner, { recursive: true, force: true }));
    await noticed(() => mkdirSync(inner, { recursive: true }));
    await noticed(() => writeFileSync(join(inner, 'a.yml'), `a: ${clock.now()}`));
    // Less than the interval at which times are compared: the operating system has told it.
    expect(clock.now()).toBeLessThan(1_000);
  });

  it('takes no file for empty that was emptied a moment ago, to be written', async () => {
    const file = await open(join(folder.path, 'a.yml'), 'w');
    for (let at = 0; at < 10; at++) {
      // Beside the comparison, a look at the file.
      await eventually(() => expect(clock.waiting).toBe(2));
      await clock.advance(30);
    }
    expect(watch.generation).toBe(0);
    await file.writeFile('a: 2');
    await file.close();
    await eventually(async () => {
      await clock.advance(1);
      expect(watch.generation).toBe(1);
    });
  });

  it('believes in the end that a file is empty', async () => {
    folder.write('a.yml', '');
    await eventually(async () => {
      await clock.advance(10);
      expect(watch.generation).toBe(1);
    });
    expect(clock.now()).toBeGreaterThanOrEqual(400);
  });

  it('is not hidden by somebody who never stops writing', async () => {
    await eventually(async () => {
      folder.write('a.yml', String(clock.now()));
      await clock.advance(20);
      expect(watch.generation).toBeGreaterThan(0);
    });
  });
});
