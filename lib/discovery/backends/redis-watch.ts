import type { Clock } from '../../common/clock.js';
import type { ServiceInstance } from '../service-instance.js';
import { readInstance } from './instance-json.js';
import { parse } from './json-fields.js';
import { Newest } from './newest.js';
import type { RedisConnection } from './redis-connection.js';
import type { KeysAndChannel, RedisNames } from './redis-names.js';
import { NAMES, READ } from './redis-scripts.js';

/** What a reading script gives: ms until somebody's time is over (-1: nobody's), and what there is. */
interface Reading {
  readonly wait: number;
  readonly values: readonly string[];
}

/** What can be heard while waiting. */
type Sign = 'changed' | Error;

/** The longest time between two readings, in ms: a server that hangs, and a message that was lost, are noticed then. */
const LONGEST_WAIT = 10_000;
const SHORTEST_WAIT = 50;

/** Streams by reading again when Redis tells of a change, and when somebody's time may be over. */
export class RedisWatch {
  constructor(
    private readonly connection: RedisConnection,
    private readonly names: RedisNames,
    private readonly clock: Clock,
  ) {}

  async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ServiceInstance[]> {
    const watched = this.names.of(service);
    for await (const values of this.readings(READ, watched, signal)) {
      const all = values.flatMap(readValue).filter((instance) => instance.service === service);
      yield all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    }
  }

  async *services(signal: AbortSignal): AsyncGenerator<readonly string[]> {
    for await (const names of this.readings(NAMES, this.names.services, signal)) {
      const living = await Promise.all(
        names.map(async (name) => ((await this.lives(name, signal)) ? [name] : [])),
      );
      yield living.flat().toSorted();
    }
  }

  /** A name outlives its last instance by a while; until then it is looked at. */
  private async lives(service: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const { keys } = this.names.of(service);
    const { values } = readingOf(await this.connection.run(READ, { keys, args: [] }, signal));
    return values.length > 0;
  }

  private async *readings(
    script: string,
    { keys, channel }: KeysAndChannel,
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[]> {
    if (signal.aborted) return;
    const signs = new Newest<Sign>();
    const listener = {
      onMessage: () => signs.push('changed'),
      onLost: (error: Error) => signs.fail(error),
    };
    let stop: (() => void) | undefined;
    try {
      stop = await this.connection.listen(channel, listener, signal);
      while (!signal.aborted) {
        const answer = await this.connection.run(script, { keys, args: [] }, signal);
        const { wait, values } = readingOf(answer);
        yield values;
        await this.next(signs, wait, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stop?.();
    }
  }

  /** Waits for a change, or until somebody's time may be over. */
  private async next(signs: Newest<Sign>, wait: number, signal: AbortSignal): Promise<void> {
    const least = wait < 0 ? LONGEST_WAIT : Math.max(SHORTEST_WAIT, wait + 1);
    const { signal: limit, cancel } = this.clock.deadline(Math.min(LONGEST_WAIT, least), signal);
    try {
      for await (const _ of signs.read(limit)) return;
    } finally {
      cancel();
    }
  }
}

function readingOf(answer: unknown): Reading {
  const [wait, values] = Array.isArray(answer) ? (answer as unknown[]) : [];
  return {
    wait: Number(wait ?? -1),
    values: Array.isArray(values) ? values.map(String) : [],
  };
}

/** What stands behind the owner; what is no instance is left out. */
function readValue(value: string): readonly ServiceInstance[] {
  try {
    return [readInstance(parse(value.slice(value.indexOf('|') + 1)))];
  } catch {
    return [];
  }
}
