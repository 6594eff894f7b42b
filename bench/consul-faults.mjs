// What an agent that lies, hangs or dies does to the traffic of a gateway, and how often the agent is asked meanwhile.
//
//   npm run bench:consul-faults -- [--only hangs] [--rate 100]
//
// A real Consul stands behind a proxy that tells the lies; the gateway finds three real upstreams through it.
import { createServer, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePorts, startAgent } from '../test/support/consul/agent.mjs';
import { load, startGateway } from './support/gateway-process.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string' }, rate: { type: 'string', default: '100' } },
});

/** Each answers a request in place of the agent; `undefined` passes it on with another ear. */
const FAULTS = {
  'answers 500': {
    ms: 5_000,
    lie: (_, response) => response.writeHead(500).end('No cluster leader'),
  },
  'answers []': {
    ms: 8_000,
    lie: (_, response) => response.writeHead(200, { 'x-consul-index': '77' }).end('[]'),
  },
  'answers HTML': {
    ms: 5_000,
    lie: (_, response) => response.writeHead(200, { 'x-consul-index': '77' }).end('<html>hello'),
  },
  'breaks off': {
    ms: 5_000,
    lie: (_, response) => {
      response.writeHead(200, { 'x-consul-index': '77', 'content-length': '5000' }).write('[{"No');
      setTimeout(() => response.destroy(), 20);
    },
  },
  'gives no index': { ms: 5_000, lie: (_, response) => response.writeHead(200).end('[]') },
  'gives an index that goes back': { ms: 5_000, index: () => Math.ceil(Math.random() * 40) },
  'hangs 12 s': { ms: 12_000, lie: () => {} },
};

const ports = await freePorts();
let agent = await startAgent({ ports });
let fault;
let asked = 0;
const held = new Set();
const proxy = createServer((incoming, response) => {
  if (incoming.url.startsWith('/v1/health/service/svc-0')) asked += 1;
  if (fault?.lie) {
    held.add(response);
    return fault.lie(incoming, response);
  }
  const { method, url, headers } = incoming;
  const onward = request(agent.url + url, { method, headers }, (answer) => {
    const changed = fault?.index ? { 'x-consul-index': String(fault.index()) } : {};
    response.writeHead(answer.statusCode, { ...answer.headers, ...changed });
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  incoming.pipe(onward);
}).listen(0, '127.0.0.1');
const url = () => `http://127.0.0.1:${proxy.address().port}`;

const upstreams = await Promise.all(
  Array.from({ length: 3 }, async () => {
    const server = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return server.address().port;
  }),
);
async function registerAll() {
  for (const port of upstreams) {
    const body = JSON.stringify({
      ID: `svc-0-${port}`,
      Name: 'svc-0',
      Port: port,
      Address: '127.0.0.1',
    });
    await fetch(`${agent.url}/v1/agent/service/register`, { method: 'PUT', body });
  }
}

async function until(holds, limit = 20_000) {
  const from = performance.now();
  while (!(await holds())) {
    if (performance.now() - from > limit) return Infinity;
    await pause(5);
  }
  return performance.now() - from;
}

await registerAll();
const gateway = await startGateway(url());
await until(async () => (await gateway.ask('view')).count === 3);
console.log(
  '| the agent | requests | failed | p99 ms | registry requests/s for the watch | fresh again after, ms |',
);
console.log('|---|--:|--:|--:|--:|--:|');

const row = (name, { sent, failures, p99 }, perSecond, fresh) =>
  console.log(
    `| ${name} | ${sent} | ${failures.length}${failures[0] === undefined ? '' : ` (${failures[0]})`} | ${p99.toFixed(1)} | ${perSecond.toFixed(1)} | ${fresh.toFixed(0)} |`,
  );

for (const [name, each] of Object.entries(FAULTS)) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const stop = load(gateway.port, Number(values.rate));
  await pause(1_000);
  // Queries that wait already would not hear the lie.
  fault = each;
  proxy.closeAllConnections();
  asked = 0;
  await pause(each.ms);
  const perSecond = (asked * 1_000) / each.ms;
  fault = undefined;
  for (const response of held) response.destroy();
  held.clear();
  // A new instance, and the time until it is seen: only a fresh list has it.
  const body = JSON.stringify({
    ID: 'extra',
    Name: 'svc-0',
    Port: upstreams[0],
    Address: '127.0.0.1',
  });
  await fetch(`${agent.url}/v1/agent/service/register`, { method: 'PUT', body });
  const fresh = await until(async () => (await gateway.ask('view')).count === 4);
  row(name, await stop(), perSecond, fresh);
  await fetch(`${agent.url}/v1/agent/service/deregister/extra`, { method: 'PUT' });
  await until(async () => (await gateway.ask('view')).count === 3);
}

if (values.only === undefined || 'is killed and comes back empty'.includes(values.only)) {
  const stop = load(gateway.port, Number(values.rate));
  asked = 0;
  await agent.kill();
  proxy.closeAllConnections();
  await pause(3_000);
  const perSecond = asked / 3;
  agent = await startAgent({ ports });
  await registerAll();
  const fresh = await until(async () => !(await gateway.ask('view')).stale);
  row('is killed and comes back empty', await stop(), perSecond, fresh);
}
await gateway.stop();
await agent.stop();

if (values.only === undefined || 'acl'.includes(values.only)) {
  const hcl = 'acl { enabled = true default_policy = "deny" tokens { master = "root" } }';
  agent = await startAgent({ hcl });
  const put = async (path, body) => {
    const headers = { 'x-consul-token': 'root' };
    const answer = await fetch(`${agent.url}/v1/${path}`, { method: 'PUT', headers, body });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  for (let n = 0; ; n++) {
    // The agent's ACLs begin a moment after it has a leader.
    const Rules = 'service_prefix "" { policy = "write" }';
    const made = await put('acl/policy', JSON.stringify({ Name: 'half', Rules })).catch((error) => {
      if (n > 50) throw error;
    });
    if (made) break;
    await pause(200);
  }
  const { SecretID } = await put('acl/token', JSON.stringify({ Policies: [{ Name: 'half' }] }));
  const blind = await startGateway(agent.url, 0, SecretID);
  let told;
  await until(async () => {
    told = (await blind.ask('said')).find(({ message }) =>
      message.includes('may not see the nodes'),
    );
    return told !== undefined;
  });
  console.log(
    `\nA token without node:read is reported after ${told?.at.toFixed(0)} ms: ${told?.message}`,
  );
  console.log(
    `The token is in what was said: ${JSON.stringify(await blind.ask('said')).includes(SecretID)}`,
  );
  await blind.stop();
  await agent.stop();
}
process.exit();
