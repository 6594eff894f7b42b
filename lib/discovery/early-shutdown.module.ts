import { Module } from '@nestjs/common';
import { EarlyShutdown } from './early-shutdown.js';

/** Has `EarlyShutdown` to itself, because Nest orders hooks by module; never global, or its hook came last. */
@Module({ providers: [EarlyShutdown], exports: [EarlyShutdown] })
export class EarlyShutdownModule {}
