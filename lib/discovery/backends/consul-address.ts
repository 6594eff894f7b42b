import { readFileSync } from 'node:fs';
import { messageOf } from '../../common/errors.js';
import { refuse } from '../../common/option-readers.js';
import { readRegistryUrl } from './registry-address.js';
import type { RegistryTls } from './registry-tls.js';

/** Where the agent is, and as whom we speak to it. */
export interface ConsulAddress {
  /** Without a slash at the end: `http://127.0.0.1:8500`. */
  readonly url: URL;
  readonly token: string | undefined;
  /** A namespace of Consul Enterprise. */
  readonly namespace: string | undefined;
  readonly tls: RegistryTls;
}

/** The environment variables that Consul's own tools read. */
export interface ConsulEnvironment {
  readonly CONSUL_HTTP_ADDR?: string;
  readonly CONSUL_HTTP_TOKEN?: string;
  readonly CONSUL_HTTP_TOKEN_FILE?: string;
  readonly CONSUL_HTTP_SSL?: string;
  readonly CONSUL_HTTP_SSL_VERIFY?: string;
  readonly CONSUL_CACERT?: string;
  readonly CONSUL_CLIENT_CERT?: string;
  readonly CONSUL_CLIENT_KEY?: string;
  readonly CONSUL_TLS_SERVER_NAME?: string;
  readonly CONSUL_NAMESPACE?: string;
}

/** What of the options says where the agent is. */
export interface ConsulAddressOptions {
  readonly url: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tls?: RegistryTls;
}

/** Options come first, then the environment, then the agent on this machine. */
export function readConsulAddress(
  options: ConsulAddressOptions,
  env: ConsulEnvironment,
): ConsulAddress {
  const [path, given] =
    options.url === undefined
      ? ['CONSUL_HTTP_ADDR', env.CONSUL_HTTP_ADDR || '127.0.0.1:8500']
      : ['consul.url', options.url];
  const secure = isTrue(env.CONSUL_HTTP_SSL);
  return {
    url: readRegistryUrl(path, given, { secure, like: 'http://127.0.0.1:8500' }),
    token: readToken(options, env),
    namespace: options.namespace ?? (env.CONSUL_NAMESPACE || undefined),
    tls: readTls(options.tls, env),
  };
}

function readToken(options: ConsulAddressOptions, env: ConsulEnvironment): string | undefined {
  if (options.token !== undefined) return options.token;
  if (options.tokenFile !== undefined) return fromFile('consul.tokenFile', options.tokenFile);
  if (env.CONSUL_HTTP_TOKEN) return env.CONSUL_HTTP_TOKEN;
  const { CONSUL_HTTP_TOKEN_FILE: file } = env;
  return file ? fromFile('CONSUL_HTTP_TOKEN_FILE', file) : undefined;
}

function fromFile(path: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    return refuse(path, `cannot be read: ${messageOf(error)}`, 'Give a file with the token in it.');
  }
}

function readTls(options: RegistryTls | undefined, env: ConsulEnvironment): RegistryTls {
  return {
    ca: options?.ca ?? (env.CONSUL_CACERT || undefined),
    cert: options?.cert ?? (env.CONSUL_CLIENT_CERT || undefined),
    key: options?.key ?? (env.CONSUL_CLIENT_KEY || undefined),
    serverName: options?.serverName ?? (env.CONSUL_TLS_SERVER_NAME || undefined),
    verify: (options?.verify ?? true) && !/^(0|false)$/i.test(env.CONSUL_HTTP_SSL_VERIFY ?? ''),
  };
}

function isTrue(text: string | undefined): boolean {
  return /^(1|true)$/i.test(text ?? '');
}
