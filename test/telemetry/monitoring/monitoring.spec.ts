import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { stringify } from 'yaml';
import { memory, MemoryHub } from '../../../lib/discovery/backends/memory.backend.js';
import { RookeryModule } from '../../../lib/rookery.module.js';
import { eventually } from '../../support/eventually.js';

const RULES = join(process.cwd(), 'monitoring/prometheus/rookery.rules.yml');
const BOARDS = join(process.cwd(), 'monitoring/grafana');

function program(name: string): string {
  const options = { encoding: 'utf8' } as const;
  return execFileSync('sh', ['scripts/ensure-deb.sh', 'prometheus', name], options).trim();
}

const promtool = program('promtool');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rookery-monitoring-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Series {
  readonly series: string;
  readonly values: string;
}

const one = (series: string, values: string): Series => ({ series, values });
const own = 'http_server_request_duration_seconds';
const lane = 'rookery_gateway_request_duration_seconds';

/** A service that is well, for a hundred minutes; shares over six hours are the same where there is less. */
const HEALTHY: readonly Series[] = [
  one(`${own}_count{service="a",http_response_status_code="200"}`, '0+600x100'),
  one(`${own}_bucket{service="a",le="1"}`, '0+600x100'),
  one('rookery_gateway_requests_total{service="a",status="200"}', '0+600x100'),
  one('rookery_gateway_requests_total{service="a",status="404"}', '0+60x100'),
  one(`${lane}_count{service="a"}`, '0+660x100'),
  one(`${lane}_bucket{service="a",le="1"}`, '0+660x100'),
  one('rookery_ready{service="a",instance="1"}', '1x100'),
  one('rookery_ready{service="a",instance="2"}', '0x100'),
  one('rookery_instances{service="a",instance="1",target="b",status="up"}', '2x100'),
  one('rookery_instances{service="a",instance="1",target="b",status="down"}', '1x100'),
  // Whoever has just started knows less.
  one('rookery_instances{service="a",instance="2",target="b",status="up"}', '0x100'),
  one('rookery_circuit_state{service="a",circuit="b",state="open"}', '0x100'),
  one('rookery_circuit_state{service="a",circuit="b",state="closed"}', '1x100'),
  one('rookery_leases_lost_total{service="a",instance="1"}', '3x100'),
  one('rookery_registered{service="a",instance="1"}', '1x100'),
  one('rookery_config_rejected{service="a"}', '0x100'),
  one('nodejs_eventloop_lag_p99_seconds{service="a",instance="1"}', '0.02x100'),
  one('nodejs_eventloop_utilization_ratio{service="a",instance="1"}', '0.6x100'),
  // The clock of promtool starts in 1970.
  one(
    'rookery_certificate_expiry_timestamp_seconds{service="a",use="server",of="self"}',
    '9000000x100',
  ),
];

/** What is wrong, and what it must fire. */
const FAULTS: readonly (readonly [string, readonly Series[], readonly string[]])[] = [
  [
    'its handlers fail',
    [
      one(`${own}_count{service="a",http_response_status_code="500"}`, '0+60x100'),
      one(`${own}_bucket{service="a",http_response_status_code="500",le="1"}`, '0+60x100'),
    ],
    ['RookeryErrorsFast', 'RookeryErrorsSlow'],
  ],
  [
    'its gateway answers 503',
    [one('rookery_gateway_requests_total{service="a",status="503"}', '0+60x100')],
    ['RookeryErrorsFast', 'RookeryErrorsSlow'],
  ],
  [
    'a little fails for hours',
    [
      one(`${own}_count{service="a",http_response_status_code="500"}`, '0+6x100'),
      one(`${own}_bucket{service="a",http_response_status_code="500",le="1"}`, '0+6x100'),
    ],
    ['RookeryErrorsSlow'],
  ],
  [
    'a third takes longer than a second',
    [one(`${own}_bucket{service="a",le="1"}`, '0+400x100')],
    ['RookeryLatencyFast', 'RookeryLatencySlow'],
  ],
  [
    'a tenth takes longer than a second at the gateway',
    [one(`${lane}_bucket{service="a",le="1"}`, '0+594x100')],
    ['RookeryLatencySlow'],
  ],
  [
    'no instance is ready',
    [one('rookery_ready{service="a",instance="1"}', '0x100')],
    ['RookeryNoReadyInstance'],
  ],
  [
    'a circuit is open, and half-open now and then',
    [one('rookery_circuit_state{service="a",circuit="b",state="open"}', '1x94 0 1x4')],
    ['RookeryCircuitOpen'],
  ],
  [
    'a service is gone, and the circuits of its callers are open',
    [
      one('rookery_instances{service="a",instance="1",target="b",status="up"}', '2x40 0x60'),
      one('rookery_circuit_state{service="a",circuit="b",state="open"}', '0x40 1x60'),
    ],
    ['RookeryNoReadyInstance'],
  ],
  [
    'a service is back, and the circuits of its callers were open until now',
    [
      one('rookery_instances{service="a",instance="1",target="b",status="up"}', '0x92 2x8'),
      one('rookery_circuit_state{service="a",circuit="b",state="open"}', '1x94 0x6'),
    ],
    [],
  ],
  [
    'the registry forgot an instance',
    [one('rookery_leases_lost_total{service="a",instance="1"}', '3x87 4x11')],
    ['RookeryLeaseLost'],
  ],
  [
    'an instance is not registered',
    [one('rookery_registered{service="a",instance="1"}', '0x100')],
    ['RookeryLeaseLost'],
  ],
  [
    'a configuration is refused',
    [one('rookery_config_rejected{service="a"}', '1x100')],
    ['RookeryConfigRejected'],
  ],
  [
    'the event loop lags',
    [one('nodejs_eventloop_lag_p99_seconds{service="a",instance="1"}', '0.8x100')],
    ['RookeryEventLoopBlocked'],
  ],
  [
    'the event loop is never idle',
    [one('nodejs_eventloop_utilization_ratio{service="a",instance="1"}', '0.99x100')],
    ['RookeryEventLoopBlocked'],
  ],
  [
    'a certificate ends in a week',
    [
      one(
        'rookery_certificate_expiry_timestamp_seconds{service="a",use="server",of="self"}',
        '640800x100',
      ),
    ],
    ['RookeryCertificateEnds'],
  ],
];

/** The case in which these series stand in for the healthy ones of the same name. */
function promtoolCase(name: string, faults: readonly Series[], alerts: readonly string[]) {
  const replaced = new Set(faults.map(({ series }) => series));
  return {
    name,
    interval: '1m',
    input_series: [...HEALTHY.filter(({ series }) => !replaced.has(series)), ...faults],
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '95m',
        exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  };
}

describe('the alert rules', () => {
  it('are rules that promtool finds no fault with', () => {
    expect(execFileSync(promtool, ['check', 'rules', RULES], { encoding: 'utf8' })).toContain(
      'SUCCESS',
    );
  });

  it('fire on what they are for and on nothing else, each', () => {
    const named = [...readFileSync(RULES, 'utf8').matchAll(/alert: (\w+)/g)].map(
      ([, name]) => name,
    );
    expect(new Set(FAULTS.flatMap(([, , alerts]) => alerts))).toEqual(new Set(named));
    const file = join(folder, 'alerts.test.yml');
    const tests = [
      promtoolCase('all is well', [], []),
      ...FAULTS.map(([name, faults, alerts]) => promtoolCase(name, faults, alerts)),
    ];
    writeFileSync(
      file,
      stringify(
        {
          rule_files: [RULES],
          evaluation_interval: '5m',
          // Else promtool takes the groups as they come, and alerts may see what was recorded 5 minutes ago.
          group_eval_order: ['rookery-recording', 'rookery-alerts'],
          tests,
        },
        { lineWidth: 0 },
      ),
    );
    const out = execFileSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
    expect(out).toContain('SUCCESS');
  }, 60_000);
});

const check = (where: string) =>
  execFileSync(process.execPath, ['scripts/monitoring.mjs', '--check', where], { stdio: 'pipe' });

describe('what monitoring/ holds', () => {
  it("is what the metrics' definitions make", () => {
    expect(() => check('monitoring')).not.toThrow();
  });

  it('is refused when it is something else', () => {
    const copy = join(folder, 'copy');
    cpSync('monitoring', copy, { recursive: true });
    writeFileSync(join(copy, 'prometheus/rookery.rules.yml'), 'groups: []\n');
    expect(() => check(copy)).toThrow(/rookery\.rules\.yml is not what/);
  });

  it('names no metric and no label that is not there', async () => {
    const path = '../../../scripts/monitoring/known-names.mjs';
    const known = (await import(path)) as {
      readonly assertKnown: (query: string, names: ReadonlyMap<string, readonly string[]>) => void;
    };
    const names = new Map([['rookery_ready', []]]);
    expect(() =>
      known.assertKnown('max by (service) (rookery_ready{job="a"})', names),
    ).not.toThrow();
    expect(() => known.assertKnown('rookery_redy', names)).toThrow(/no metric rookery_redy/);
    expect(() => known.assertKnown('rookery_ready{color="red"}', names)).toThrow(/no label color/);
    expect(() => known.assertKnown('max by (color) (rookery_ready)', names)).toThrow(
      /the label color/,
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function queriesOf(file: string): string[] {
  const { panels } = JSON.parse(readFileSync(join(BOARDS, file), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      expr.replaceAll('$service', '.*').replaceAll('$__rate_interval', '1m'),
    ),
  );
}

describe('a real Prometheus', () => {
  it('scrapes a service, and runs every query of the dashboards', async () => {
    @Module({
      imports: [
        RookeryModule.forRoot({
          name: 'shop',
          config: false,
          metrics: true,
          discovery: { backend: memory(new MemoryHub()) },
          gateway: true,
        }),
      ],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    const { host } = new URL(await app.getUrl());
    const config = join(folder, 'prometheus.yml');
    writeFileSync(
      config,
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [RULES],
        scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [host] }] }],
      }),
    );
    const port = await freePort();
    const prometheus = spawn(
      program('prometheus'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = once(prometheus, 'exit');
    const query = async (text: string) => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`;
      return (await (await fetch(url)).json()) as {
        status: string;
        data: { result: { value: [number, string] }[] };
      };
    };
    try {
      await eventually(async () => {
        expect((await query('up')).data.result[0]?.value[1]).toBe('1');
        expect((await query('rookery_ready{service="shop"}')).data.result).toHaveLength(1);
      }, 30_000);
      const queries = readdirSync(BOARDS).flatMap(queriesOf);
      expect(queries.length).toBeGreaterThan(30);
      for (const text of queries) {
        expect([text, (await query(text)).status]).toEqual([text, 'success']);
      }
    } finally {
      prometheus.kill();
      await ended;
      await app.close();
    }
  }, 60_000);
});
