/** The keys of a script, and the channel where changes of them are told. */
export interface KeysAndChannel {
  readonly keys: readonly string[];
  readonly channel: string;
}

/** The keys and channels of a namespace; those that one script uses share what stands in braces. */
export class RedisNames {
  constructor(
    private readonly prefix: string,
    private readonly namespace: string,
  ) {}

  /** What is kept of a service. */
  of(service: string): KeysAndChannel {
    const base = `${this.prefix}:{${this.namespace}/${service}}`;
    return {
      keys: [`${base}:instances`, `${base}:deadlines`, `${base}:clock`],
      channel: `${base}:changes`,
    };
  }

  /** The names of all services. */
  get services(): KeysAndChannel {
    const base = `${this.prefix}:{${this.namespace}}`;
    return {
      keys: [`${base}:services`, `${base}:clock`],
      channel: `${base}:services:changes`,
    };
  }
}
