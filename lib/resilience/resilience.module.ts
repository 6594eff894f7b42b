import { Global, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { CircuitsContributor } from './circuits.contributor.js';
import { Circuits } from './circuits.js';

/** Knows every circuit of the application, and lets them speak for its health. */
@Global()
@Module({
  imports: [CommonModule],
  providers: [Circuits, CircuitsContributor],
  exports: [Circuits],
})
export class ResilienceModule {}
