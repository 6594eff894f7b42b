import { refuse } from '../../common/option-readers.js';

/** Between the namespace and the service; a DNS label may hold it, and nobody writes it by chance. */
const SEPARATOR = '--';

/**
 * What services are called in Consul: `orders` in the namespace `default`, `staging--orders` in `staging`.
 *
 * A name of its own, rather than a tag or a meta field, keeps Consul's DNS and other clients from mixing two systems,
 * and wakes no watch for what happens in the other.
 */
export class ConsulNames {
  private readonly prefix: string;

  /** @throws InvalidOptionsError when the namespace could be mistaken for another with a service */
  constructor(namespace: string) {
    if (namespace.includes(SEPARATOR)) {
      refuse(
        'discovery.namespace',
        `is '${namespace}', and Consul's names need '${SEPARATOR}' to end it`,
        'Use single hyphens.',
      );
    }
    this.prefix = namespace === 'default' ? '' : `${namespace}${SEPARATOR}`;
  }

  inConsul(service: string): string {
    return this.prefix + service;
  }

  /** The names that are of this namespace, as the services call themselves. */
  outOfConsul(names: readonly string[]): readonly string[] {
    if (this.prefix === '') return names.filter((name) => !name.includes(SEPARATOR));
    return names
      .filter((name) => name.startsWith(this.prefix))
      .map((name) => name.slice(this.prefix.length));
  }
}
