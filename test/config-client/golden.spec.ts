import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { ScriptedServer } from './scripted-server.js';

const GOLDEN = join(import.meta.dirname, '../config-server/golden');
const golden = (name: string) => JSON.parse(readFileSync(join(GOLDEN, name), 'utf8')) as unknown;

interface Answer {
  readonly propertySources: readonly { readonly name: string; readonly source: object }[];
}

/** The same answer as Spring gives it to who asks for origins. */
const traced = (answer: Answer) => ({
  ...answer,
  propertySources: answer.propertySources.map(({ name, source }) => ({
    name,
    source: Object.fromEntries(
      Object.entries(source).map(([key, value]) => [key, { value, origin: `${name}:1:1` }]),
    ),
  })),
});

describe('the golden files of the config server, read by a client', () => {
  it.each([
    ['without origins', (answer: Answer) => answer],
    ['with origins', traced],
  ])('make the tree that the flat formats show, %s', async (_name, shape) => {
    const answer = shape(golden('environment.json') as Answer);
    const server = await new ScriptedServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }).start();
    const module = await Test.createTestingModule({
      imports: [
        ConfigClientModule.forRoot({ name: 'orders', profiles: ['prod', 'eu'], url: server.url }),
      ],
    }).compile();
    const app = await module.init();
    try {
      expect(app.get(ConfigClient).snapshot()).toEqual(golden('flat.json'));
    } finally {
      await app.close();
      await server.stop();
    }
  });
});
