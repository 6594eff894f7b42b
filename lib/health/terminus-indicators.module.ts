import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

/** Makes the indicators of Terminus injectable everywhere. */
@Global()
@Module({ imports: [TerminusModule], exports: [TerminusModule] })
export class TerminusIndicatorsModule {}
