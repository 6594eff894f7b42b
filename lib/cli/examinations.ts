import { get } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { INestApplicationContext } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { messageOf } from '../common/errors.js';
import { chooseAddress } from '../discovery/advertised-address.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from '../discovery/discovery-backend.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import type { Examination, Finding } from './doctor.js';
import { knownServices } from './known-services.js';

const backendOf = (app: INestApplicationContext) =>
  app.get<DiscoveryBackend>(DISCOVERY_BACKEND, { strict: false });

/** Whether it answers. */
const registry: Examination = async (app, given) => {
  const { name } = backendOf(app);
  const clock = app.get(Clock, { strict: false });
  const from = clock.now();
  try {
    const views = await knownServices(app, given);
    const took = Math.round(clock.now() - from);
    return [fine('registry', `"${name}" shows ${views.length} services, after ${took} ms`)];
  } catch (error) {
    const remedy =
      'Start it, or say where it is: DISCOVERY_URL, CONSUL_HTTP_ADDR, or --backend and --url.';
    return [wrong('registry', messageOf(error), remedy)];
  }
};

/** Whether what is written there is also shown: rights that are missing look like an empty registry. */
const rights: Examination = async (app) => {
  const { registry: writes, source } = backendOf(app);
  if (!writes) return [fine('rights', 'nothing registers here')];
  const clock = app.get(Clock, { strict: false });
  const { signal, cancel } = clock.deadline(5_000);
  const probe = probeInstance();
  try {
    const lease = await writes.register(probe, signal);
    try {
      for await (const all of source.instances(probe.service, signal)) {
        if (all.some(({ id }) => id === probe.id))
          return [fine('rights', 'an instance that registers is shown')];
      }
    } finally {
      await lease.revoke(clock.deadline(2_000).signal);
    }
    const remedy =
      'The token may write but not read: Consul needs service_prefix "" read and node_prefix "" read.';
    return [wrong('rights', 'an instance that registered is not shown within 5 s', remedy)];
  } catch (error) {
    return [
      wrong('rights', messageOf(error), 'Give the token or the user the rights named above.'),
    ];
  } finally {
    cancel();
  }
};

/** How far the clocks are apart; leases are counted by one clock each, so only logs and tokens suffer. */
const clocks: Examination = async (app) => {
  const { peer, name } = backendOf(app);
  if (!peer || name === 'redis')
    return [{ what: 'clock', state: 'unknown', says: 'the registry does not tell its time' }];
  const clock = app.get(Clock, { strict: false });
  const date = await new Promise<string | undefined>((resolve) => {
    const request = get({ ...peer, path: '/', timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.headers.date);
    });
    request.on('error', () => resolve(undefined)).on('timeout', () => request.destroy());
  });
  if (date === undefined)
    return [{ what: 'clock', state: 'unknown', says: 'the registry does not tell its time' }];
  const apart = Math.round((clock.wallTime() - Date.parse(date)) / 1_000);
  return Math.abs(apart) <= 5
    ? [fine('clock', 'it agrees with the registry’s')]
    : [
        wrong(
          'clock',
          `it is ${apart} s away from the registry’s`,
          'Let both machines follow NTP.',
        ),
      ];
};

/** Which address an application on this machine would give to callers. */
const address: Examination = async (app) => {
  const { remote } = backendOf(app);
  const facts = { host: undefined, env: process.env, bound: '0.0.0.0', remote };
  const chosen = chooseAddress({ ...facts, interfaces: networkInterfaces() });
  return chosen
    ? [fine('address', `callers are given ${chosen.host} (${chosen.reason})`)]
    : [
        wrong(
          'address',
          'this machine has none that others could reach',
          'Set discovery.host, or POD_IP.',
        ),
      ];
};

/** Whether the instances accept connections from here. */
const ports: Examination = async (app, given) => {
  const views = await knownServices(app, given);
  const all = views.flatMap(({ instances }) => instances).slice(0, 100);
  const closed = await Promise.all(
    all.map(async (instance) => ({ instance, reason: await whyClosed(instance) })),
  );
  const found = closed.flatMap(({ instance: { id, host, port }, reason }) =>
    reason === undefined
      ? []
      : [
          wrong(
            'ports',
            `${id} does not accept connections at ${host}:${port}: ${reason}`,
            'Is it dead, behind a firewall, or bound to 127.0.0.1 only?',
          ),
        ],
  );
  return found.length > 0 ? found : [fine('ports', `${all.length} instances accept connections`)];
};

/** What is in the registry and is not called. */
const refused: Examination = async (app) => {
  const list = app.get(DiscoveryClient, { strict: false }).refused();
  return list.map(({ instance, reason }) =>
    wrong('instances', `${instance.id} is not called: ${reason}`, 'Find out who registered it.'),
  );
};

export const examinations: readonly Examination[] = [
  registry,
  rights,
  clocks,
  address,
  ports,
  refused,
];

function fine(what: string, says: string): Finding {
  return { what, state: 'fine', says };
}

function wrong(what: string, says: string, remedy: string): Finding {
  return { what, state: 'wrong', says, remedy };
}

function whyClosed({ host, port }: ServiceInstance): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer within 1 s'));
    socket.once('error', (error) => end(messageOf(error)));
  });
}

function probeInstance(): ServiceInstance {
  const service = 'rookery-doctor';
  return {
    id: `${service}-${process.pid}`,
    service,
    host: '127.0.0.1',
    port: 1,
    ports: {},
    scheme: 'http',
    status: 'down',
    weight: 1,
    tags: [],
    metadata: {},
  };
}
