import { Logger } from '@nestjs/common';
import { Clock, SystemClock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { refuse } from '../../common/option-readers.js';
import { Authenticator } from '../authenticator.js';
import type { Credentials } from '../credentials.js';
import type { Principal } from '../principal.js';
import { InvalidCredentialsError } from '../security.errors.js';
import { type JoseLibrary, loadJose } from '../tokens/jose.js';
import { type JwtOptions, type JwtSettings, readJwtOptions } from './jwt.options.js';
import { JwtVerifier } from './jwt-verifier.js';

/** Three parts of base64url (RFC 7515, 7.1). */
const COMPACT = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * Believes JSON Web Tokens in `Authorization: Bearer`, of one issuer or several, checked by jose.
 *
 * Issuer, audience, `exp` and an asymmetric signature are always asked for; there is no way to only decode one.
 *
 * @throws InvalidOptionsError at start, when an option is missing or cannot be used
 * @example
 * jwt({ issuer: 'https://idp.example.com', audience: 'shop' })
 */
export function jwt(...issuers: readonly JwtOptions[]): Authenticator {
  const settings = issuers.map((options, at) =>
    readJwtOptions(options, pathOf(issuers.length, at)),
  );
  if (settings.length === 0) refuse('jwt', 'names no issuer', 'Name one.');
  const twice = settings.find(
    (one, at) => settings.findIndex((x) => x.issuer === one.issuer) !== at,
  );
  if (twice) refuse('jwt', `names the issuer '${twice.issuer}' twice`, 'Name it once.');
  return new JwtAuthenticator(settings);
}

function pathOf(count: number, at: number): string {
  return count === 1 ? 'jwt' : `jwt[${at}]`;
}

/** @internal */
export class JwtAuthenticator extends Authenticator {
  override readonly name = 'jwt';
  override readonly challenge = 'Bearer';
  override readonly headers = ['authorization'];
  private readonly logger = new Logger('JwtAuthenticator');
  private readonly failing = new Set<string>();
  private readonly longest: number;
  private jose: JoseLibrary | undefined;
  private verifiers: readonly JwtVerifier[] = [];
  private opening: Promise<JoseLibrary> | undefined;

  constructor(
    private readonly settings: readonly JwtSettings[],
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
    this.longest = Math.max(...settings.map(({ maxLength }) => maxLength));
  }

  override async ready(): Promise<void> {
    await this.open();
  }

  override authenticate(credentials: Credentials): Principal | Promise<Principal> | undefined {
    const header = credentials.header('authorization');
    if (header === undefined) return undefined;
    if (header.length > this.longest + 7) {
      if (!/^Bearer /i.test(header)) return undefined;
      throw new InvalidCredentialsError(`The token is longer than ${this.longest} characters.`);
    }
    const token = COMPACT.exec(header)?.[1];
    if (token === undefined) return undefined;
    for (const verifier of this.verifiers) {
      const known = verifier.known(token);
      if (known !== undefined) return known;
    }
    return this.verify(token);
  }

  private async verify(token: string): Promise<Principal> {
    const jose = this.jose ?? (await this.open());
    const at = this.settings.length === 1 ? 0 : this.issuerOf(jose, token);
    const settings = this.settings[at];
    const verifier = this.verifiers[at];
    if (!settings || !verifier)
      throw new InvalidCredentialsError('The token is of an issuer that is not believed.');
    if (token.length > settings.maxLength)
      throw new InvalidCredentialsError(
        `The token is longer than ${settings.maxLength} characters.`,
      );
    return verifier.verify(token);
  }

  /** What a token says of itself only chooses who checks it. */
  private issuerOf(jose: JoseLibrary, token: string): number {
    try {
      const { iss } = jose.decodeJwt(token);
      return this.settings.findIndex(({ issuer }) => issuer === iss);
    } catch (error) {
      throw new InvalidCredentialsError(`The token cannot be read: ${messageOf(error)}.`, error);
    }
  }

  private open(): Promise<JoseLibrary> {
    return (this.opening ??= this.load());
  }

  private async load(): Promise<JoseLibrary> {
    const jose = await loadJose('jwt() checks tokens with jose');
    const ears = { onKeys: this.onKeys.bind(this) };
    this.verifiers = this.settings.map((each) => new JwtVerifier(jose, this.clock, each, ears));
    this.jose = jose;
    return jose;
  }

  private onKeys(issuer: string, error: Error | undefined): void {
    if (error && !this.failing.has(issuer)) {
      this.failing.add(issuer);
      this.logger.warn(
        `The keys of ${issuer} cannot be loaded; known ones stay good. ${messageOf(error)}`,
      );
    } else if (!error && this.failing.delete(issuer))
      this.logger.log(`The keys of ${issuer} are loaded again.`);
  }
}
