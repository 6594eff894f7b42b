import { Inject, Injectable } from '@nestjs/common';
import { ServiceIdentity } from './common/service-identity.js';
import { LocalInstance } from './discovery/local-instance.js';
import { Registrar } from './discovery/registrar.js';
import type { ServiceInstance } from './discovery/service-instance.js';
import { type HealthAnswer, HealthAnswers } from './health/health-answers.js';

/**
 * A service as a class to extend, for those who prefer a template to decorators; the application imports `RookeryModule`.
 *
 * Registration and health go on by themselves; this only gives them names.
 *
 * @example
 * @Injectable()
 * class OrdersService extends BaseService {
 *   describe() { return `${this.name} is ${this.healthCheck().status}, see ${this.healthUrl}`; }
 * }
 */
@Injectable()
export abstract class BaseService {
  @Inject(ServiceIdentity) private readonly identity!: ServiceIdentity;
  @Inject(LocalInstance) private readonly local!: LocalInstance;
  @Inject(Registrar) private readonly registrar!: Registrar;
  @Inject(HealthAnswers) private readonly answers!: HealthAnswers;

  /** The service's name. */
  get name(): string {
    return this.identity.name;
  }

  /** Where this instance says how it is, or `undefined` until it listens. */
  get healthUrl(): string | undefined {
    const instance = this.local.current;
    if (!instance) return undefined;
    const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
    return `${instance.scheme}://${host}:${instance.port}/health`;
  }

  /**
   * Registers an application that has no HTTP server, under the port where it answers; with one it happens by itself.
   *
   * @returns what the registry holds of it at the moment, or `undefined` while that is on its way
   */
  registerService(port?: number): ServiceInstance | undefined {
    if (port !== undefined) this.registrar.start(port);
    return this.registrar.registered;
  }

  /** How the service is: its name, status and the time, and each single check. */
  healthCheck(): HealthAnswer {
    return this.answers.overall();
  }
}
