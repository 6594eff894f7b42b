import type { Instrument } from '../metrics/instrument.js';
import { counter, gauge } from '../metrics/metric-definition.js';

const metrics = {
  instances: gauge(
    'rookery_instances',
    'registry.instances',
    'Instances of a service that the registry shows, by their status.',
    ['target', 'status'],
  ),
  staleness: gauge(
    'rookery_watch_stale_seconds',
    'registry.stale',
    'For how long the registry has said nothing of a service any more; 0 while it is watched.',
    ['target'],
  ),
  registered: gauge(
    'rookery_registered',
    'registration.held',
    '1 while this instance is in the registry, 0 while it should be and is not.',
  ),
  leasesLost: counter(
    'rookery_leases_lost_total',
    'Times the registry had forgotten this instance, so that it registered again.',
  ),
  outages: counter(
    'rookery_registry_outages_total',
    'Times the registry did not answer any more.',
    ['backend'],
  ),
};

export const discoveryInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const lost = meter.counters(metrics.leasesLost).of();
    const outages = meter.counters(metrics.outages);
    events.on('lease.lost', () => void lost.value++);
    events.on('registry.unreachable', ({ backend }) => void outages.of(backend).value++);
  },
};
