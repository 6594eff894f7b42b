import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A key of an identity provider, with what it publishes of it. */
export interface ProviderKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function providerKey(kid: string, alg = 'ES256'): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An identity provider on loopback: its key set, its discovery document, and how often each was asked for. */
export class IdentityProvider {
  readonly asked: string[] = [];
  keys: readonly JWK[] = [];
  /** What it does in place of answering. */
  mood: 'well' | 'down' | 'garbage' | 'redirecting' | 'huge' = 'well';
  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new IdentityProvider(server, origin);
    server.on('request', (request, response) => {
      provider.asked.push(request.url ?? '');
      if (provider.mood === 'down') return response.writeHead(503).end();
      if (provider.mood === 'garbage') return response.end('<html>');
      if (provider.mood === 'huge') return response.end('x'.repeat(1 << 20));
      if (provider.mood === 'redirecting')
        return response.writeHead(302, { location: `${origin}/elsewhere` }).end();
      response.setHeader('content-type', 'application/json');
      if (request.url === '/.well-known/openid-configuration')
        return response.end(JSON.stringify({ issuer: origin, jwks_uri: `${origin}/keys` }));
      return response.end(JSON.stringify({ keys: provider.keys }));
    });
    return provider;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** What goes into a token besides its signature. */
export interface TokenParts {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signs a token; claims that are `undefined` are left out. */
export function sign(key: ProviderKey, { claims = {}, header = {} }: TokenParts): Promise<string> {
  const kept = Object.fromEntries(
    Object.entries(claims).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(kept)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}
