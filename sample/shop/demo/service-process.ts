import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ServiceDescription {
  /** What the demo calls this process: `orders-1`. */
  readonly name: string;
  /** What Node runs. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** One service of the demo, as its own process of the operating system. */
export class ServiceProcess {
  private child: ChildProcess | undefined;
  private ended = false;
  /** Where it listens, as it said itself. */
  address: string | undefined;
  private readonly log: WriteStream;

  constructor(
    readonly description: ServiceDescription,
    private readonly tell: (line: string) => void,
  ) {
    const file = join(description.directory, 'logs', `${description.name}.log`);
    this.log = createWriteStream(file, { flags: 'a' });
  }

  get name(): string {
    return this.description.name;
  }

  get pid(): number | undefined {
    return this.running ? this.child?.pid : undefined;
  }

  get running(): boolean {
    return (
      this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
    );
  }

  /** Whether it ended although nobody here asked it to. */
  get failed(): boolean {
    return this.child !== undefined && !this.running && !this.ended;
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} runs already.`);
    const { args, env, directory } = this.description;
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env: { ...process.env, ...env },
      // Over the fourth channel it notices when the demo is gone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    this.ended = false;
    this.address = undefined;
    child.on('error', (error) => this.tell(`${this.name} could not be started: ${error.message}`));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line));
    }
  }

  /** Asks it to leave (`SIGTERM`), or ends it without a word (`SIGKILL`); resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (!child || !this.running) return;
    this.ended = true;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  close(): void {
    this.log.end();
  }

  /** Everything goes into the log; a person sees what they may have to act on. */
  private hear(line: string): void {
    this.log.write(`${line}\n`);
    const entry = parse(line);
    const [, address] = / listens on (http\S+)/.exec(entry?.msg ?? '') ?? [];
    this.address = address ?? this.address;
    if (!entry) this.tell(`${this.name}: ${line}`);
    else if (['warn', 'error', 'fatal'].includes(entry.level))
      this.tell(`${this.name}: ${entry.msg}`);
  }
}

/** The line, if it is one of the service's log. */
function parse(line: string): { level: string; msg: string } | undefined {
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return typeof level === 'string' && typeof msg === 'string' ? { level, msg } : undefined;
  } catch {
    return undefined;
  }
}
