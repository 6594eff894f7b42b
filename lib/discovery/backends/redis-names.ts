/** The keys and channels of a namespace; those that one script uses share what stands in braces. */
export class RedisNames {
  constructor(
    private readonly prefix: string,
    private readonly namespace: string,
  ) {}

  /** What is kept of a service. */
  of(service: string): { readonly keys: readonly [string, string]; readonly channel: string } {
    const base = `${this.prefix}:{${this.namespace}/${service}}`;
    return { keys: [`${base}:instances`, `${base}:deadlines`], channel: `${base}:changes` };
  }

  /** The names of all services. */
  get services(): { readonly keys: readonly [string]; readonly channel: string } {
    const base = `${this.prefix}:{${this.namespace}}`;
    return { keys: [`${base}:services`], channel: `${base}:services:changes` };
  }
}
