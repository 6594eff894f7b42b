import type { Instrument } from '../metrics/instrument.js';
import { configInstrument } from './config.instrument.js';
import { discoveryInstrument } from './discovery.instrument.js';
import { gatewayInstrument } from './gateway.instrument.js';
import { healthInstrument } from './health.instrument.js';
import { loadBalancingInstrument } from './load-balancing.instrument.js';
import { processInstrument } from './process.instrument.js';
import { resilienceInstrument } from './resilience.instrument.js';
import { serverInstrument } from './server.instrument.js';
import { upstreamInstrument } from './upstream.instrument.js';

/** What is measured, room by room. */
export const instruments = {
  server: serverInstrument,
  gateway: gatewayInstrument,
  upstream: upstreamInstrument,
  loadBalancing: loadBalancingInstrument,
  resilience: resilienceInstrument,
  discovery: discoveryInstrument,
  config: configInstrument,
  health: healthInstrument,
  process: processInstrument,
} as const satisfies Readonly<Record<string, Instrument>>;
