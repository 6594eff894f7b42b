import { refuse } from '../../common/option-readers.js';

/** Where the agent is, and as whom we speak to it. */
export interface ConsulAddress {
  /** Without a slash at the end: `http://127.0.0.1:8500`. */
  readonly url: URL;
  readonly token: string | undefined;
}

/** The environment variables that Consul's own tools read. */
export interface ConsulEnvironment {
  readonly CONSUL_HTTP_ADDR?: string;
  readonly CONSUL_HTTP_TOKEN?: string;
  readonly CONSUL_HTTP_SSL?: string;
}

/** Options come first, then the environment, then the agent on this machine. */
export function readConsulAddress(
  options: { readonly url: string | undefined; readonly token: string | undefined },
  env: ConsulEnvironment,
): ConsulAddress {
  const [path, given] =
    options.url === undefined
      ? ['CONSUL_HTTP_ADDR', env.CONSUL_HTTP_ADDR || '127.0.0.1:8500']
      : ['consul.url', options.url];
  const secure = /^(1|true)$/i.test(env.CONSUL_HTTP_SSL ?? '');
  return {
    url: readUrl(path, given, secure),
    token: options.token ?? (env.CONSUL_HTTP_TOKEN || undefined),
  };
}

function readUrl(path: string, given: string, secure: boolean): URL {
  const remedy = "Write it like 'http://127.0.0.1:8500' or '127.0.0.1:8500'.";
  const text = /^[a-z]+:\/\//i.test(given) ? given : `${secure ? 'https' : 'http'}://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) {
    refuse(path, 'carries a user or a password', 'Use a token: consul.token or CONSUL_HTTP_TOKEN.');
  }
  if ((url?.protocol !== 'http:' && url?.protocol !== 'https:') || url.search || url.hash) {
    refuse(path, `is '${given}', no address of a Consul agent over HTTP`, remedy);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}
