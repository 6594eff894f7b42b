import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { AuthenticationUnavailableError } from '../security.errors.js';
import type { JoseLibrary, JSONWebKeySet, JWTVerifyGetKey } from './jose.js';

/** What a key set is made of; times in ms. */
export interface KeySetParts {
  readonly jose: Pick<JoseLibrary, 'createLocalJWKSet' | 'errors'>;
  readonly clock: Clock;
  /** Gets the keys of now. */
  readonly load: () => Promise<JSONWebKeySet>;
  /** How long keys are used before they are asked for again, in the background. */
  readonly refreshAfter: number;
  /** How long keys are used when nobody gives newer ones. */
  readonly keepFor: number;
  /** The least time between two loads. */
  readonly cooldown: number;
  /** Is told that a load failed, or that one went well after that. */
  readonly onLoad: (error: Error | undefined) => void;
  /** Is told that there are other keys than before. */
  readonly onChange: () => void;
}

/**
 * An issuer's keys (RFC 7517), kept as one keeps something that others may take away: a key that is not known makes it
 * load anew, at most once in a while, so that strangers cannot make it ask; while the issuer does not answer, known
 * keys stay good.
 */
export class KeySet {
  private select: JWTVerifyGetKey | undefined;
  private text = '';
  private loadedAt = -Infinity;
  private triedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private failure: Error | undefined;

  constructor(private readonly parts: KeySetParts) {}

  /** Finds the key of a token, for `jwtVerify`. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    await this.freshen();
    try {
      return await this.key(header, token);
    } catch (error) {
      const isUnknown = error instanceof this.parts.jose.errors.JWKSNoMatchingKey;
      if (!isUnknown || !(this.mayLoad() || this.loading)) throw error;
      await this.load();
      return this.key(header, token);
    }
  };

  private key: JWTVerifyGetKey = (header, token) => {
    if (this.select !== undefined) return this.select(header, token);
    throw new AuthenticationUnavailableError('The keys of the issuer are not known.', this.failure);
  };

  private async freshen(): Promise<void> {
    const age = this.parts.clock.now() - this.loadedAt;
    if (age > this.parts.keepFor) this.select = undefined;
    if (this.select === undefined) {
      if (this.mayLoad() || this.loading) await this.load();
    } else if (age > this.parts.refreshAfter && this.mayLoad()) void this.load();
  }

  private mayLoad(): boolean {
    return this.parts.clock.now() - this.triedAt >= this.parts.cooldown;
  }

  /** Never rejects; all who wait share one load. */
  private load(): Promise<void> {
    return (this.loading ??= this.loadOnce().finally(() => (this.loading = undefined)));
  }

  private async loadOnce(): Promise<void> {
    const { clock, jose, load, onLoad, onChange } = this.parts;
    this.triedAt = clock.now();
    try {
      const keys = usable(await load());
      const text = JSON.stringify(keys);
      if (text !== this.text || this.select === undefined) {
        this.select = jose.createLocalJWKSet(keys);
        if (this.text !== '') onChange();
        this.text = text;
      }
      this.loadedAt = clock.now();
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(messageOf(error));
    }
    onLoad(this.failure);
  }
}

/** Only public keys: a symmetric one in a published set would let anyone sign. */
function usable(set: JSONWebKeySet): JSONWebKeySet {
  if (!Array.isArray(set.keys)) throw new Error('the key set has no list "keys"');
  const keys = set.keys.filter(({ kty, use }) => kty !== 'oct' && (use ?? 'sig') === 'sig');
  if (keys.length === 0) throw new Error('the key set has no key for signatures');
  return { keys };
}
