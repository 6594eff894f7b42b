import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { builtInBackends, defaultBackend } from '../../../lib/discovery/backends/built-in.js';
import { makeContext } from './support/backend-fixtures.js';

describe('the built-in backends', () => {
  beforeAll(() => void (process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1'));
  afterAll(() => void delete process.env['KUBERNETES_SERVICE_HOST']);

  it('are called what they are listed as', () => {
    for (const [name, make] of Object.entries(builtInBackends)) {
      expect(make()(makeContext()).name).toBe(name);
    }
  });

  it('are Consul where the environment names an agent, and the embedded one elsewhere', () => {
    expect(defaultBackend({ CONSUL_HTTP_ADDR: 'consul:8500' })(makeContext()).name).toBe('consul');
    expect(defaultBackend({ CONSUL_HTTP_ADDR: '' })(makeContext()).name).toBe('embedded');
    expect(defaultBackend({})(makeContext()).name).toBe('embedded');
  });
});
