import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import { ConfigLoader } from './config-loader.js';

/** Which configuration is in use, and whether it is the newest there is. */
@Injectable()
export class ConfigClientMeasurements extends MeasurementSource {
  constructor(private readonly loader: ConfigLoader) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    const { status, client } = this.loader;
    const version = client.version ?? 'local';
    yield { name: 'config.version', value: 1, labels: { version } };
    yield { name: 'config.rejected', value: status.rejected === undefined ? 0 : 1 };
    yield { name: 'config.unreachable', value: status.away === undefined ? 0 : 1 };
  }
}
