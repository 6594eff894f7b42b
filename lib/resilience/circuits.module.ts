import { Global, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { CircuitNotices } from './circuit-notices.js';
import { CircuitsContributor } from './circuits.contributor.js';
import { CircuitsMeasurements } from './circuits.measurements.js';
import { Circuits } from './circuits.js';

/** Knows every circuit of the application, lets them speak for its health, and says when one opens. */
@Global()
@Module({
  imports: [CommonModule],
  providers: [Circuits, CircuitsContributor, CircuitsMeasurements, CircuitNotices],
  exports: [Circuits],
})
export class CircuitsModule {}
