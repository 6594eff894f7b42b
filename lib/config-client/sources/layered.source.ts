import type { PropertySource } from '../../common/properties/property-source.js';
import { type ConfigRequest, type ConfigSnapshot, ConfigSource } from '../config-source.js';

type Answer = { readonly at: number; readonly result: IteratorResult<ConfigSnapshot> };

/**
 * Several sources as one: the layers of the first lie above those of the second.
 *
 * It yields when every source has answered, and then at each change of any. While one is away, all of them rest at the
 * last good values: a configuration is never made of a new half and a missing one.
 */
export class LayeredSource extends ConfigSource {
  override readonly name: string;
  private latest: readonly (ConfigSnapshot | undefined)[] = [];

  constructor(private readonly sources: readonly ConfigSource[]) {
    super();
    this.name = sources.map(({ name }) => name).join(', ');
  }

  /** What those have said that did answer. */
  override get known(): readonly PropertySource[] {
    return distinct(this.latest.flatMap((snapshot) => snapshot?.sources ?? []));
  }

  override async report(...said: Parameters<ConfigSource['report']>): Promise<void> {
    await Promise.all(this.sources.map((source) => source.report(...said)));
  }

  override async *watch(
    request: ConfigRequest,
    signal: AbortSignal,
  ): AsyncIterable<ConfigSnapshot> {
    const ended = new AbortController();
    const within = AbortSignal.any([signal, ended.signal]);
    const latest: (ConfigSnapshot | undefined)[] = this.sources.map(() => undefined);
    this.latest = latest;
    const streams = this.sources.map((source) =>
      source.watch(request, within)[Symbol.asyncIterator](),
    );
    const next = new Map(streams.map((stream, at) => [at, answerOf(stream, at)]));
    try {
      while (next.size > 0 && !signal.aborted) {
        const { at, result } = await Promise.race(next.values());
        if (result.done) next.delete(at);
        else {
          latest[at] = result.value;
          next.set(at, answerOf(streams[at] as AsyncIterator<ConfigSnapshot>, at));
          if (!latest.includes(undefined)) yield merged(latest as ConfigSnapshot[]);
        }
      }
    } finally {
      ended.abort();
      for (const answer of next.values()) answer.catch(() => undefined);
    }
  }
}

async function answerOf(stream: AsyncIterator<ConfigSnapshot>, at: number): Promise<Answer> {
  return { at, result: await stream.next() };
}

function merged(snapshots: readonly ConfigSnapshot[]): ConfigSnapshot {
  const versions = snapshots.flatMap(({ version }) => version ?? []);
  return {
    sources: distinct(snapshots.flatMap(({ sources }) => sources)),
    ...(versions.length > 0 ? { version: versions.join('+') } : {}),
  };
}

/** Layers of two sources may have one name; within a snapshot each is unique. */
function distinct(sources: readonly PropertySource[]): readonly PropertySource[] {
  const seen = new Map<string, number>();
  return sources.map((source) => {
    const count = (seen.get(source.name) ?? 0) + 1;
    seen.set(source.name, count);
    return count === 1 ? source : { ...source, name: `${source.name} (${count})` };
  });
}
