// What a message costs over TCP through discovery, beside Nest's own client on the same server: interleaved rounds.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientTCP } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { DiscoveryModule, staticInstances } from '../dist/discovery/index.js';
import { getClientToken, MessagingModule } from '../dist/messaging/index.js';

const ROUNDS = Number(process.env.ROUNDS ?? 6);
const MESSAGES = Number(process.env.MESSAGES ?? 20_000);
const CONCURRENCY = 64;

const server = fork(new URL('./support/tcp-server.mjs', import.meta.url));
const [{ port }] = await once(server, 'message');

const backend = (context) => {
  const made = staticInstances({ echo: [`http://127.0.0.1:${port}`] })(context);
  return {
    ...made,
    source: {
      services: (signal) => made.source.services(signal),
      async *instances(service, signal) {
        for await (const list of made.source.instances(service, signal)) {
          yield list.map((each) => Object.assign({}, each, { ports: { tcp: port } }));
        }
      },
    },
  };
};
class BenchModule {}
Module({
  imports: [
    DiscoveryModule.forRoot({ name: 'bench', backend }),
    MessagingModule.forRoot(),
    MessagingModule.forFeature(['echo']),
  ],
})(BenchModule);
const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
const plain = new ClientTCP({ host: '127.0.0.1', port });
const clients = { plain, rookery: app.get(getClientToken('echo')) };
await Promise.all(Object.values(clients).map((client) => client.connect()));

async function round(client) {
  let left = MESSAGES;
  const before = process.cpuUsage();
  const begun = performance.now();
  const worker = async () => {
    while (left-- > 0) await firstValueFrom(client.send('echo', { id: left }));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begun) / 1_000;
  return { rate: MESSAGES / seconds, cpu: (user + system) / MESSAGES };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rounds = { plain: [], rookery: [] };
for (const client of Object.values(clients)) await round(client);
for (let n = 0; n < ROUNDS; n++) {
  // Whoever goes first alternates, so that neither has the warmer machine.
  const names = n % 2 === 0 ? ['plain', 'rookery'] : ['rookery', 'plain'];
  for (const name of names) rounds[name].push(await round(clients[name]));
}
for (const [name, results] of Object.entries(rounds)) {
  const rate = Math.round(median(results.map((each) => each.rate)));
  const cpu = median(results.map((each) => each.cpu)).toFixed(1);
  console.log(
    `${name.padEnd(8)} ${String(rate).padStart(6)} messages/s  ${cpu} µs CPU per message`,
  );
}
const ratio = median(rounds.rookery.map(({ rate }, n) => rate / rounds.plain[n].rate));
console.log(`rookery / plain ClientTCP: ${ratio.toFixed(2)} (wanted: at least 0.90)`);
plain.close();
await app.close();
server.kill();
