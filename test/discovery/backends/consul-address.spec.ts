import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type ConsulEnvironment,
  readConsulAddress,
} from '../../../lib/discovery/backends/consul-address.js';

function read(env: ConsulEnvironment, url?: string, token?: string) {
  const address = readConsulAddress({ url, token }, env);
  return [address.url.href, address.token];
}

describe("the agent's address", () => {
  it('is on this machine when nobody says otherwise', () => {
    expect(read({})).toEqual(['http://127.0.0.1:8500/', undefined]);
    expect(read({ CONSUL_HTTP_ADDR: '', CONSUL_HTTP_TOKEN: '' })).toEqual([
      'http://127.0.0.1:8500/',
      undefined,
    ]);
  });

  it('comes from the environment, with or without a scheme', () => {
    expect(read({ CONSUL_HTTP_ADDR: 'consul:8500', CONSUL_HTTP_TOKEN: 't' })).toEqual([
      'http://consul:8500/',
      't',
    ]);
    expect(read({ CONSUL_HTTP_ADDR: 'https://consul:8501' })[0]).toBe('https://consul:8501/');
    expect(read({ CONSUL_HTTP_ADDR: 'consul:8501', CONSUL_HTTP_SSL: 'true' })[0]).toBe(
      'https://consul:8501/',
    );
    expect(read({ CONSUL_HTTP_ADDR: '[::1]:8500' })[0]).toBe('http://[::1]:8500/');
  });

  it('comes from the options before the environment', () => {
    const env = { CONSUL_HTTP_ADDR: 'other:1', CONSUL_HTTP_TOKEN: 'other' };
    expect(read(env, 'http://mine:8500', 'mine')).toEqual(['http://mine:8500/', 'mine']);
  });

  it('may have a path before it', () => {
    expect(read({}, 'https://proxy/consul/')[0]).toBe('https://proxy/consul');
  });

  it.each(['unix:///run/consul.sock', 'ftp://consul', 'not a host', 'http://consul:8500/?dc=1'])(
    'refuses %s',
    (text) => {
      expect(() => read({ CONSUL_HTTP_ADDR: text })).toThrow(
        /^CONSUL_HTTP_ADDR is '.*Write it like/,
      );
    },
  );

  it('refuses credentials, and does not repeat them', () => {
    expect(() => read({}, 'http://me:secret@consul:8500')).toThrow(
      /^consul\.url carries a user or a password\. Give them/,
    );
  });

  it('takes tokens from files, and TLS from what the tools of Consul read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'nest-rookery-'));
    const file = join(directory, 'token');
    writeFileSync(file, 'secret\n');
    expect(read({ CONSUL_HTTP_TOKEN_FILE: file })[1]).toBe('secret');
    expect(readConsulAddress({ url: undefined, tokenFile: file }, {}).token).toBe('secret');
    rmSync(directory, { recursive: true });
    expect(() => read({ CONSUL_HTTP_TOKEN_FILE: file })).toThrow('CONSUL_HTTP_TOKEN_FILE cannot');
    const address = readConsulAddress(
      { url: undefined },
      {
        CONSUL_CACERT: '/ca.pem',
        CONSUL_CLIENT_CERT: '/cert.pem',
        CONSUL_CLIENT_KEY: '/key.pem',
        CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
        CONSUL_HTTP_SSL_VERIFY: 'false',
        CONSUL_NAMESPACE: 'team-a',
      },
    );
    expect(address).toMatchObject({
      namespace: 'team-a',
      tls: {
        ca: '/ca.pem',
        cert: '/cert.pem',
        key: '/key.pem',
        serverName: 'server.dc1.consul',
        verify: false,
      },
    });
  });
});
