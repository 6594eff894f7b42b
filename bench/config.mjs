// What the config server costs: how long a change takes to arrive, what a thousand waiting clients need, and how fast
// ten thousand keys are read and merged.
//
//   npm run bench:config -- [--only push|poll|waiting|merge] [--changes 30] [--clients 1000] [--idle 30] [--hold 30] [--keys 200] [--json FILE]
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { EventHub } from '../dist/common/index.js';
import { ConfigClient, ConfigClientModule } from '../dist/config-client/index.js';
import { readProperties } from '../dist/cjs/common/properties/properties-format.js';
import { readYaml } from '../dist/cjs/common/properties/yaml-format.js';
import { ConfigClient as Client } from '../dist/cjs/config-client/config-client.js';
import { ConfigJudge } from '../dist/cjs/config-client/config-judge.js';
import { EnvironmentVariables } from '../dist/cjs/config-client/environment-variables.js';
import { readConfigAnswer } from '../dist/cjs/config-client/sources/config-answer.js';
import { environmentJson } from '../dist/cjs/config-server/environment-json.js';
import { documentOf, mergedProperties } from '../dist/cjs/config-server/merged-properties.js';
import { startAgent } from '../test/support/consul/agent.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    changes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '30' },
    hold: { type: 'string', default: '30' },
    keys: { type: 'string', default: '200' },
    json: { type: 'string' },
  },
});
const results = {};
const folders = [];
const sorted = (numbers) => numbers.toSorted((a, b) => a - b);
const at = (numbers, share) => sorted(numbers)[Math.floor((numbers.length - 1) * share)];
const ms = (number) => `${number.toFixed(1)} ms`;

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
  folders.push(path);
  return path;
}

/** A server in its own process. */
async function startServer(kind, where) {
  const script = fileURLToPath(new URL('support/config-server.mjs', import.meta.url));
  const child = fork(script, [kind, where], { execArgv: ['--expose-gc'] });
  const [{ port }] = await once(child, 'message');
  const use = async () => {
    child.send('use');
    return (await once(child, 'message'))[0];
  };
  const stop = async () => {
    child.kill();
    await once(child, 'exit');
  };
  return { url: `http://127.0.0.1:${port}`, port, use, stop };
}

/** The webhook is part of a change's way; the commit is not. */
const tell = (url) =>
  fetch(`${url}/monitor`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"path":["orders.yml"]}',
  });

/** What each kind of repository is written by. */
const WRITERS = {
  file() {
    const path = folder();
    return {
      where: path,
      write: (n) => writeFileSync(join(path, 'orders.yml'), `counter: ${n}\n`),
    };
  },
  git() {
    const path = folder();
    const git = (...args) =>
      execFileSync('git', ['-C', path, '-c', 'user.name=b', '-c', 'user.email=b@b', ...args]);
    git('init', '--quiet', '--initial-branch', 'main');
    const write = (n) => {
      writeFileSync(join(path, 'orders.yml'), `counter: ${n}\n`);
      git('add', '--all');
      git('commit', '--quiet', '--message', 'x');
    };
    return { where: path, write, tell };
  },
  'consul-kv'(consul) {
    const write = (n) =>
      fetch(`${consul}/v1/kv/bench/orders/counter`, { method: 'PUT', body: `${n}` });
    return { where: consul, write };
  },
};

/** The times from the write, or for git from the webhook, until the client reads the new value. */
async function changes(kind, { consul, refresh, count, pause }) {
  const { where, write, tell: hook } = WRITERS[kind](consul);
  await write(0);
  const server = await startServer(kind, where);
  class App {}
  const client = await NestFactory.createApplicationContext(
    {
      module: App,
      imports: [ConfigClientModule.forRoot({ url: server.url, name: 'orders', refresh })],
    },
    { logger: ['error'] },
  );
  const config = client.get(ConfigClient);
  const events = client.get(EventHub);
  const times = [];
  for (let n = 1; n <= count; n++) {
    const arrived = new Promise((resolve) => {
      const stop = events.on('config.changed', () => {
        if (Number(config.get('counter')) !== n) return;
        stop();
        resolve(performance.now());
      });
    });
    let began = performance.now();
    const written = write(n);
    if (hook) {
      began = performance.now();
      await hook(server.url);
    }
    times.push((await arrived) - began);
    await written;
    await sleep(pause(n));
  }
  await client.close();
  await server.stop();
  return { p50: at(times, 0.5), p95: at(times, 0.95), max: at(times, 1) };
}

function shown(name, kind, { p50, p95, max }) {
  console.log(
    `change in ${kind.padEnd(10)} to the client's value by ${name}: p50 ${ms(p50)}, p95 ${ms(p95)}, max ${ms(max)}`,
  );
}

async function push(kind, consul) {
  // The client does not ask again at once.
  const found = await changes(kind, {
    consul,
    refresh: { interval: '30s' },
    count: Number(values.changes),
    pause: () => 150,
  });
  results[`push from ${kind}`] = found;
  shown('push', kind, found);
}

const INTERVAL = 1_000;

/** What a client reads that asks every second, written at every moment of that second. */
async function poll(kind, consul) {
  const count = 20;
  const found = await changes(kind, {
    consul,
    refresh: { interval: '1s', push: false },
    count,
    pause: (n) => (n * INTERVAL) / count,
  });
  const over = found.max - INTERVAL;
  results[`poll of ${kind}`] = { ...found, over };
  shown('poll', kind, found);
}

/**
 * A client that waits: one socket, one held question, asked again whenever nothing has changed, as `ConfigClientModule`
 * asks; resolves with the time of the news's first byte.
 */
function waiting(port, etag, hold) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const ask = () =>
    socket.write(
      `GET /orders/prod?wait=${hold}s HTTP/1.1\r\nhost: x\r\nif-none-match: ${etag}\r\n\r\n`,
    );
  const asked = once(socket, 'connect').then(ask);
  const answered = new Promise((resolve) => {
    socket.on('data', (data) => {
      const status = Number(data.toString('latin1').split(' ')[1]);
      if (status === 304) ask();
      else {
        socket.destroy();
        resolve({ at: performance.now(), status });
      }
    });
  });
  return { asked, answered };
}

async function waitingClients() {
  const where = folder();
  const settings = Array.from(
    { length: Number(values.keys) },
    (_, at) => `setting-${at}: text of ${at}\n`,
  );
  const write = (n) =>
    writeFileSync(join(where, 'orders.yml'), `counter: ${n}\n${settings.join('')}`);
  write(0);
  const server = await startServer('file', where);
  const etag = (await fetch(`${server.url}/orders/prod`)).headers.get('etag');
  await sleep(1_000);
  const before = await server.use();
  const clients = [];
  for (let at = 0; at < Number(values.clients); at++) {
    clients.push(waiting(server.port, etag, values.hold));
    // Services do not start all at the same moment; their questions end spread over the time.
    if (at % 10 === 0) await sleep(Number(values.hold) * (10_000 / Number(values.clients)));
  }
  await Promise.all(clients.map(({ asked }) => asked));
  await sleep(1_000);
  const started = await server.use();
  const from = performance.now();
  await sleep(Number(values.idle) * 1_000);
  const after = await server.use();
  const idle = (after.cpu - started.cpu) / 10 / (performance.now() - from);
  const began = performance.now();
  write(1);
  const answers = await Promise.all(clients.map(({ answered }) => answered));
  const last = Math.max(...answers.map((answer) => answer.at)) - began;
  const good = answers.filter(({ status }) => status === 200).length;
  const told = await server.use();
  await server.stop();
  const growth = (Math.max(started.rss, after.rss, told.rss) - before.rss) / 2 ** 20;
  results.waiting = { clients: clients.length, good, last, growth, idle };
  console.log(
    `${clients.length} waiting clients: ${good} told in ${ms(last)}; memory +${growth.toFixed(1)} MB; idle ${idle.toFixed(2)} % of a core`,
  );
}

const KEYS = 10_000;
const LAYERS = 8;

/** A layer as a person writes it: groups of settings. */
function layer(number, format) {
  let text = '';
  for (let group = 0; group < KEYS / LAYERS / 50; group++) {
    if (format === 'yaml') text += `group${group}:\n`;
    for (let key = 0; key < 50; key++) {
      text +=
        format === 'yaml'
          ? `  setting-${key}:\n    value: text ${number} ${key}\n`
          : `group${group}.setting-${key}.value=text ${number} ${key}\n`;
    }
  }
  return text;
}

function merge(format, read) {
  const texts = Array.from({ length: LAYERS }, (_, number) => layer(number, format));
  const times = [];
  const work = [];
  let keys = 0;
  for (let run = 0; run < 30; run++) {
    const used = process.cpuUsage();
    const began = performance.now();
    const sources = texts.map((text, number) => {
      const { entries } = read(text)[0];
      keys = entries.length * LAYERS;
      return {
        name: `${number}`,
        source: Object.fromEntries(entries.map(({ key, value }) => [key, value])),
      };
    });
    documentOf(mergedProperties(sources), (value) => value);
    times.push(performance.now() - began);
    const { user, system } = process.cpuUsage(used);
    work.push((user + system) / 1_000);
  }
  const cpu = at(work.slice(5), 0.5);
  const [p50, first] = [at(times.slice(5), 0.5), times[0]];
  results[`merge of ${format}`] = { keys, p50, cpu, first };
  console.log(
    `${keys} keys of ${format} in ${LAYERS} layers, read and merged: p50 ${ms(p50)} (${ms(cpu)} of CPU), the first time ${ms(first)}`,
  );
}

/** What a client does with the answer of a server when one key has changed: read, merge, judge, compare. */
async function mergeOfClient() {
  const layers = Array.from({ length: LAYERS }, (_, number) => {
    const { entries } = readYaml(layer(number, 'yaml'))[0];
    const pairs = entries.map(({ key, value }) => [key, value]);
    const origins = entries.map(({ key, position }) => [key, `file:${number}.yml:${position}`]);
    const name = `file:${number}.yml`;
    return { name, source: Object.fromEntries(pairs), origins: Object.fromEntries(origins) };
  });
  const variables = new EnvironmentVariables({ ...process.env });
  const client = new Client(variables, new EventHub(), 'the bench');
  const judge = new ConfigJudge({ variables, defaults: {}, validate: undefined, sections: [] });
  let told = 0;
  client.onChange('group0.setting-0.value', () => told++);
  client.onChange('group1.setting-1.value', () => (told += 1_000));
  const times = [];
  for (let run = 0; run < 30; run++) {
    layers[0].source['group0.setting-0.value'] = `text of ${run}`;
    const query = { application: 'orders', profiles: ['prod'] };
    const body = environmentJson(query, { version: `${run}`, sources: layers }, true);
    const began = performance.now();
    client.accept(await judge.judge(readConfigAnswer(body, 'the bench')));
    times.push(performance.now() - began);
  }
  if (told !== 29) throw new Error(`the listener of the changed key was called ${told} times`);
  const [p50, first] = [at(times.slice(5), 0.5), times[0]];
  results['merge in the client'] = { keys: KEYS, p50, first };
  console.log(
    `${KEYS} keys in ${LAYERS} layers in the client, one changed, read, merged and compared: p50 ${ms(p50)}, the first time ${ms(first)}`,
  );
}

const wanted = (name) => values.only === '' || values.only === name;
try {
  if (wanted('push') || wanted('poll')) {
    const agent = await startAgent();
    for (const kind of Object.keys(WRITERS)) {
      if (wanted('push')) await push(kind, agent.url);
      if (wanted('poll')) await poll(kind, agent.url);
    }
    await agent.stop();
  }
  if (wanted('waiting')) await waitingClients();
  if (wanted('merge')) {
    merge('properties', readProperties);
    merge('yaml', readYaml);
    await mergeOfClient();
  }
} finally {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}
if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 2));
