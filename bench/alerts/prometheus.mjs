// Debian's Prometheus, with what monitoring/ ships for it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { prometheusConfig } from '../../scripts/monitoring/scrape.mjs';

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const RULES = path('monitoring/prometheus/rookery.rules.yml');
const program = (name) =>
  execFileSync('sh', [path('scripts/ensure-deb.sh'), 'prometheus', name], {
    encoding: 'utf8',
  }).trim();

const SECONDS = { s: 1, m: 60, h: 3_600 };

/**
 * The shipped rules with every time in them divided: how long a condition must hold (`for`), and the windows that
 * expressions look back over. Nothing else is changed.
 */
function hurried(rules, by) {
  const shorter = (text) =>
    text.replaceAll(
      /(\d+)([smh])/g,
      (_, count, unit) => `${Math.max(4, Math.round((count * SECONDS[unit]) / by))}s`,
    );
  const windows = (expr) => expr.replaceAll(/\[[\dsmh]+\]/g, shorter);
  return {
    groups: rules.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: windows(rule.expr),
        ...(rule.for && { for: shorter(rule.for) }),
      })),
    })),
  };
}

/** What `promtool check metrics` says of a page; nothing when it finds no fault. */
export function faultsOf(page) {
  try {
    return execFileSync(program('promtool'), ['check', 'metrics'], {
      input: page,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch (error) {
    return `${error.stdout}${error.stderr}`.trim();
  }
}

export class Prometheus {
  #url;
  #process;

  constructor({ folder, port, hurry }) {
    this.folder = folder;
    this.port = port;
    this.hurry = hurry;
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** Starts it with the shipped configuration: only where the targets are asked for, and how often, is said here. */
  async start({ targets, token, interval = '1s' }) {
    const { folder, hurry } = this;
    const write = (name, text) => writeFileSync(join(folder, name), text);
    write('management-token', token);
    const rules = hurried(parse(readFileSync(RULES, 'utf8')), hurry);
    write('rookery.rules.yml', stringify(rules, { lineWidth: 0 }));
    write('prometheus.yml', stringify(prometheusConfig({ targets, interval })));
    const config = join(folder, 'prometheus.yml');
    execFileSync(program('promtool'), ['check', 'config', config], { stdio: 'pipe' });
    const log = openSync(join(folder, 'prometheus.log'), 'a');
    this.#process = spawn(
      program('prometheus'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
      ],
      { stdio: ['ignore', log, log] },
    );
  }

  async query(text) {
    const { data } = await this.#get(`query?query=${encodeURIComponent(text)}`);
    return data.result;
  }

  /** Every target with its service and its health. */
  async targets() {
    const { data } = await this.#get('targets?state=active');
    return data.activeTargets.map(({ health, lastError, scrapeUrl, discoveredLabels }) => ({
      url: scrapeUrl,
      service: discoveredLabels.__meta_rookery_service,
      health,
      lastError,
    }));
  }

  /** The alerts of a state, `firing` or `pending`, each as `Name{service="…"}`. */
  async alerts(state) {
    const { data } = await this.#get('alerts');
    return data.alerts
      .filter((each) => each.state === state)
      .map(({ labels: { alertname, ...labels } }) => {
        const own = Object.entries(labels).filter(([name]) => name !== 'severity');
        return `${alertname}{${own.map(([name, value]) => `${name}="${value}"`).join(', ')}}`;
      });
  }

  async stop() {
    if (!this.#process || this.#process.exitCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill();
    await gone;
  }

  async #get(what) {
    const answer = await fetch(`${this.#url}/api/v1/${what}`, {
      signal: AbortSignal.timeout(5_000),
    });
    const body = await answer.json();
    if (body.status !== 'success') throw new Error(`Prometheus said: ${body.error}`);
    return body;
  }
}
