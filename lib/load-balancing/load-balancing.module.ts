import { Global, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { LoadBalancers } from './load-balancers.js';

/** Makes load balancers over what discovery knows; needs `DiscoveryModule` in the application. */
@Global()
@Module({ imports: [CommonModule], providers: [LoadBalancers], exports: [LoadBalancers] })
export class LoadBalancingModule {}
