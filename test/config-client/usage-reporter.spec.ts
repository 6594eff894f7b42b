import { type INestApplication, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { configSection } from '../../lib/config-client/config-section.js';
import { ConfigValue, OnConfigChange } from '../../lib/config-client/config-value.decorator.js';
import { digestOf } from '../../lib/config-client/schema-digest.js';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

const TOKEN = 'a-token-for-everything';
const apps: INestApplication[] = [];

@Injectable()
class Checkout {
  @ConfigValue('checkout.discount', 0) readonly discount!: number;

  @OnConfigChange('db.*')
  changed(): void {}
}

afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
});

describe('a client of our config server', () => {
  it('says which keys it reads, so that a preview names whom a change would touch', async () => {
    const source = { 'checkout.discount': 5, 'mail.from': 'a@b.cd', other: 1 };
    const repository = new MemoryRepository({ orders: [{ name: 'orders', source }] });
    const server = await startApp({
      imports: [ConfigServerModule.forRoot({ repository, token: TOKEN })],
    });
    apps.push(server.app);
    const section = configSection('mail', z.object({ from: z.email() }));
    const url = server.url.replace('//', `//x:${encodeURIComponent(TOKEN)}@`);
    const client = await startApp({
      imports: [
        ConfigClientModule.forRoot({ name: 'orders', profiles: ['prod'], url }),
        ConfigClientModule.forFeature(section),
      ],
      providers: [Checkout],
    });
    apps.push(client.app);
    expect(client.app.get(Checkout).discount).toBe(5);
    expect(client.app.get(ConfigClient).usedKeys).toEqual(['checkout.discount', 'db.*', 'mail.*']);

    const keys = ['checkout.discount', 'db.pool.max', 'mail.from', 'other'];
    await eventually(async () => {
      const answer = await fetch(`${server.url}/config/preview`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ application: 'orders', profile: 'prod', keys }),
      });
      const { services, unread } = (await answer.json()) as {
        services: object[];
        unread: string[];
      };
      expect(unread).toEqual(['other']);
      expect(services).toMatchObject([
        {
          application: 'orders',
          profiles: ['prod'],
          schema: expect.stringMatching(/^[0-9a-f]{32}$/),
        },
      ]);
    });
  }, 10_000);
});

const rules = (max: number) => [z.object({ a: z.number().max(max) })];

describe('the digest of rules', () => {
  it('is the same for the same rules and another for others', () => {
    expect(digestOf(rules(1))).toBe(digestOf(rules(1)));
    expect(digestOf(rules(1))).not.toBe(digestOf(rules(2)));
    const round: Record<string, unknown> = { a: 1 };
    round['round'] = round;
    expect(digestOf([round])).toHaveLength(32);
  });
});
