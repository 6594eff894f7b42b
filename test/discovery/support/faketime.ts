import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The library of Debian's `faketime`, which comes with this machine or is fetched. */
function libraryOf(): string {
  const program = execFileSync('scripts/ensure-deb.sh', ['faketime', 'faketime'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const fetched = join(dirname(program), '../deb/faketime');
  const folder = join(existsSync(fetched) ? fetched : '/', 'usr/lib');
  const libraries = readdirSync(folder).map((each) =>
    join(folder, each, 'faketime/libfaketimeMT.so.1'),
  );
  const library = libraries.find((each) => existsSync(each));
  if (library === undefined) throw new Error(`There is no library of faketime below ${folder}`);
  return library;
}

/** A time of day that can be set, for the processes that are started with its environment; it leaves their durations alone. */
export class SettableTime {
  private readonly directory = mkdtempSync(join(tmpdir(), 'nest-rookery-time-'));
  private readonly file = join(this.directory, 'offset');
  readonly environment: Readonly<Record<string, string>>;

  constructor() {
    this.set(0);
    this.environment = {
      LD_PRELOAD: libraryOf(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** How far it is from the true time, in seconds. */
  set(offset: number): void {
    // In one step, because it is read all the time.
    writeFileSync(`${this.file}.new`, `${offset < 0 ? '' : '+'}${offset}\n`);
    renameSync(`${this.file}.new`, this.file);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
