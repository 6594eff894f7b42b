// A config server in a process of its own: it says where it listens, and on demand what it uses.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import {
  ConfigServerModule,
  consulKvRepository,
  fileRepository,
  gitRepository,
} from '../../dist/config-server/index.js';

const [kind, where] = process.argv.slice(2);
const repositories = {
  file: () => fileRepository({ path: where }),
  git: () => gitRepository({ url: where, refresh: '1h' }),
  'consul-kv': () => consulKvRepository({ url: where, prefix: 'bench' }),
};

class App {}
const app = await NestFactory.create(
  {
    module: App,
    imports: [ConfigServerModule.forRoot({ repository: repositories[kind]() })],
  },
  { logger: ['error'] },
);
await app.listen(0, '127.0.0.1');
process.send({ port: app.getHttpServer().address().port });
process.on('message', () => {
  // What the question itself costs is not the server's.
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  process.send({ rss: process.memoryUsage().rss, cpu: user + system });
});
process.on('disconnect', () => process.exit());
