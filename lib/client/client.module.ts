import { Global, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { ServiceClient } from './service-client.js';

/** Gives `ServiceClient` to the whole application; needs `UpstreamModule` and `DiscoveryModule`. */
@Global()
@Module({ imports: [CommonModule], providers: [ServiceClient], exports: [ServiceClient] })
export class ClientModule {}
