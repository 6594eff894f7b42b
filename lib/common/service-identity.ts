import { Injectable } from '@nestjs/common';
import { InvalidOptionsError } from './errors.js';

/** A DNS label (RFC 1123): what every registry, URL and metric can carry. */
const SERVICE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a text can be the name of a service: lower-case letters, digits and inner hyphens, at most 63. */
export function isServiceName(name: string): boolean {
  return SERVICE_NAME.test(name);
}

/**
 * Which service this application is.
 *
 * Every module of this package can be told the name and the version; they must agree. Without that the environment
 * says it: `SERVICE_NAME` and `SERVICE_VERSION`.
 */
@Injectable()
export class ServiceIdentity {
  private claimed: { readonly name: string; readonly path: string } | undefined;
  private release: string | undefined;

  /** Says the name that an option at a path was given; `undefined` says nothing. */
  claim(path: string, name: string | undefined, version?: string): void {
    this.release ??= version;
    if (name === undefined) return;
    assertServiceName(path, name);
    if (this.claimed && this.claimed.name !== name) {
      throw new InvalidOptionsError(
        `${path} is '${name}', but ${this.claimed.path} is '${this.claimed.name}'. One application is one service: give both the same name, or leave one out.`,
      );
    }
    this.claimed ??= { name, path };
  }

  /** The service's name; throws when nobody has said it. */
  get name(): string {
    const name = this.claimed?.name ?? process.env['SERVICE_NAME'];
    if (!name) {
      throw new InvalidOptionsError(
        "This service has no name. Write RookeryModule.forRoot({ name: 'orders' }), or set SERVICE_NAME.",
      );
    }
    if (!this.claimed) assertServiceName('SERVICE_NAME', name);
    return name;
  }

  /** The service's version, or `undefined` when nobody has said it. */
  get version(): string | undefined {
    return this.release ?? process.env['SERVICE_VERSION'];
  }
}

/** Throws `InvalidOptionsError` when what an option at a path says cannot be the name of a service. */
export function assertServiceName(path: string, name: string): void {
  if (isServiceName(name)) return;
  throw new InvalidOptionsError(
    `${path} is '${name}', which is no DNS label. Use lower-case letters, digits and inner hyphens, at most 63, such as 'order-history'.`,
  );
}
