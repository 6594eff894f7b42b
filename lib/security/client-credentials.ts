import { Clock, SystemClock } from '../common/clock.js';
import { messageOf } from '../common/errors.js';
import { flag, group, list, record, textOf } from '../common/option-readers.js';
import { TokenRequestError } from './security.errors.js';
import { fetchJson } from './tokens/json-fetch.js';
import { secureUrl } from './tokens/secure-url.js';

/** How a service gets tokens of its own (RFC 6749, 4.4). */
export interface ClientCredentialsOptions {
  /** The authorisation server's token endpoint. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** @default what the server gives */
  readonly scopes?: readonly string[];
  /** Further parameters, such as `audience` or `resource`. @default none */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Whether the address may begin with `http:`. @default false; loopback always may */
  readonly allowInsecure?: boolean;
}

/** A token is renewed when this share of its life is left, so that none ends on its way. */
const RENEW_AT = 0.2;
/** How long a token is kept whose life is not said, in ms. */
const UNSAID = 60_000;
/** After a failure nobody is asked for so long, in ms. */
const PAUSE = 1_000;

/**
 * Tokens with which a service calls others in its own name: one request for all calls of a token's life, and a new token
 * before the old one ends. While the authorisation server does not answer, the old one is used to its end.
 *
 * @example
 * const tokens = new ClientCredentials({ tokenUrl, clientId: 'orders', clientSecret });
 * await client.get('inventory', '/stock/7', { headers: { authorization: `Bearer ${await tokens.token()}` } });
 */
export class ClientCredentials {
  private readonly settings: ReturnType<typeof readOptions>;
  private current:
    { readonly token: string; readonly renewAt: number; readonly endsAt: number } | undefined;
  private asking: Promise<string> | undefined;
  private pausedUntil = 0;

  constructor(
    options: ClientCredentialsOptions,
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.settings = readOptions(options);
  }

  /** A token that is good now. @throws TokenRequestError when none can be got */
  async token(): Promise<string> {
    const now = this.clock.now();
    const { current } = this;
    const isGood = current !== undefined && now < current.endsAt;
    if (isGood && (now < current.renewAt || now < this.pausedUntil)) return current.token;
    if (!isGood) return this.ask();
    // Its caller need not wait: the old one is good for a while.
    this.ask().catch(() => {});
    return current.token;
  }

  /** Forgets the token, because a service has refused it. */
  forget(token: string): void {
    if (this.current?.token === token) this.current = undefined;
  }

  private ask(): Promise<string> {
    return (this.asking ??= this.request().finally(() => (this.asking = undefined)));
  }

  private async request(): Promise<string> {
    const { tokenUrl, clientId, clientSecret, scopes, parameters } = this.settings;
    const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
    if (scopes.length > 0) body.set('scope', scopes.join(' '));
    const answer = await fetchJson({
      url: tokenUrl,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: body.toString(),
    }).catch((error: unknown) => {
      this.pausedUntil = this.clock.now() + PAUSE;
      throw new TokenRequestError(`No token for '${clientId}'. ${messageOf(error)}`, error);
    });
    return this.keep(answer);
  }

  private keep({ access_token: token, expires_in: seconds }: Record<string, unknown>): string {
    if (typeof token !== 'string' || token === '')
      throw new TokenRequestError(
        `No token for '${this.settings.clientId}': the answer holds none.`,
      );
    const now = this.clock.now();
    const life = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : UNSAID;
    this.current = { token, renewAt: now + life * (1 - RENEW_AT), endsAt: now + life };
    return token;
  }
}

function readOptions(options: ClientCredentialsOptions) {
  return group({
    tokenUrl: secureUrl(options.allowInsecure === true),
    clientId: textOf(),
    clientSecret: textOf(),
    scopes: list(textOf()),
    parameters: record(textOf()),
    allowInsecure: flag(false),
  })(options, 'clientCredentials');
}
