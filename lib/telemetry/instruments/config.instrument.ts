import type { Instrument } from '../metrics/instrument.js';
import { counter, gauge } from '../metrics/metric-definition.js';

const metrics = {
  info: gauge(
    'rookery_config_info',
    'config.version',
    '1, with the version of the configuration in use.',
    ['version'],
  ),
  rejected: gauge(
    'rookery_config_rejected',
    'config.rejected',
    '1 while the newest configuration is refused and an older one is in use.',
  ),
  unreachable: gauge(
    'rookery_config_unreachable',
    'config.unreachable',
    '1 while the source of the configuration does not answer.',
  ),
  changes: counter('rookery_config_changes_total', 'Times the configuration changed.'),
  rejections: counter('rookery_config_rejections_total', 'Times a new configuration was refused.'),
  published: counter(
    'rookery_config_published_total',
    'Times this config server published another configuration of an application.',
    ['application'],
  ),
  failures: counter(
    'rookery_config_repository_failures_total',
    'Times this config server could not read its repository.',
  ),
};

export const configInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const changes = meter.counters(metrics.changes).of();
    const rejections = meter.counters(metrics.rejections).of();
    const published = meter.counters(metrics.published);
    const failures = meter.counters(metrics.failures).of();
    events.on('config.changed', () => void changes.value++);
    events.on('config.rejected', () => void rejections.value++);
    events.on('config.published', ({ application }) => void published.of(application).value++);
    events.on('repository.failed', () => void failures.value++);
  },
};
