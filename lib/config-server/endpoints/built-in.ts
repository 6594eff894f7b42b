import type { Type } from '@nestjs/common';
import type { ConfigEndpoint } from '../config-endpoint.js';
import { CipherEndpoint } from './cipher.endpoint.js';
import { EnvironmentEndpoint } from './environment.endpoint.js';
import { ExplainEndpoint } from './explain.endpoint.js';
import { FlatEndpoint } from './flat.endpoint.js';
import { MonitorEndpoint } from './monitor.endpoint.js';
import { PreviewEndpoint } from './preview.endpoint.js';
import { ResourceEndpoint } from './resource.endpoint.js';
import { UsageEndpoint } from './usage.endpoint.js';
import { WatchEndpoint } from './watch.endpoint.js';

/** What a config server answers. */
export const ENDPOINTS: readonly Type<ConfigEndpoint>[] = [
  EnvironmentEndpoint,
  FlatEndpoint,
  ResourceEndpoint,
  CipherEndpoint,
  MonitorEndpoint,
  ExplainEndpoint,
  WatchEndpoint,
  UsageEndpoint,
  PreviewEndpoint,
];
