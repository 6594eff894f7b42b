import type { AddressInfo } from 'node:net';
import {
  BadRequestException,
  Body,
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  Headers,
  HttpCode,
  type HttpServer,
  type INestApplication,
  Injectable,
  type ModuleMetadata,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Put,
  Query,
  UseGuards,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import { ClientModule } from '../../../lib/client/client.module.js';
import type { ClientModuleOptions } from '../../../lib/client/client.options.js';
import { Remote, remote, type RemoteCallOptions } from '../../../lib/client/contract/remote.js';
import { ServiceContract } from '../../../lib/client/contract/service-contract.decorator.js';
import { staticInstances } from '../../../lib/discovery/backends/static.backend.js';
import { DiscoveryModule } from '../../../lib/discovery/discovery.module.js';
import { UpstreamModule } from '../../../lib/upstream/upstream.module.js';

export const StockItem = z.object({ sku: z.string(), available: z.number().int() });
export type StockItem = z.infer<typeof StockItem>;

export interface Reserve {
  readonly quantity: number;
}

@ServiceContract('inventory', 'stock')
export abstract class InventoryContract {
  @Get(':sku')
  @Remote({ answers: StockItem })
  find(@Param('sku') sku: string, options?: RemoteCallOptions): Promise<StockItem> {
    return remote(sku, options);
  }

  @Get()
  many(@Query('sku') skus: readonly string[]): Promise<StockItem[]> {
    return remote(skus);
  }

  @Put(':sku/reservations/:order')
  @HttpCode(202)
  @Remote({ idempotent: true, timeout: '2s' })
  reserve(
    @Param('sku') sku: string,
    @Param('order', ParseIntPipe) order: number,
    @Body() body: Reserve,
    @Headers('x-reason') reason?: string,
  ): Promise<Record<string, unknown>> {
    return remote(sku, order, body, reason);
  }

  @Post('orders')
  order(
    @Body('sku') sku: string,
    @Body('quantity') quantity: number,
  ): Promise<{ ordered: string }> {
    return remote(sku, quantity);
  }
}

/** What the controller was asked. */
@Injectable()
export class Asked {
  readonly calls: string[] = [];
}

@Injectable()
class NoThieves implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ url: string }>().url !== '/stock/gold';
  }
}

@Controller()
export class StockController extends InventoryContract {
  constructor(private readonly asked: Asked) {
    super();
  }

  @UseGuards(NoThieves)
  override async find(sku: string): Promise<StockItem> {
    this.asked.calls.push(`find ${sku}`);
    if (sku === 'none') throw new NotFoundException('The shop has no none.');
    if (sku === 'odd') return { sku, available: 'many' } as unknown as StockItem;
    return { sku, available: sku.length };
  }

  override async many(skus: readonly string[]): Promise<StockItem[]> {
    const list = Array.isArray(skus) ? (skus as string[]) : [String(skus)];
    this.asked.calls.push(`many ${list.join(',')}`);
    return list.filter((sku) => sku !== 'none').map((sku) => ({ sku, available: sku.length }));
  }

  override async reserve(sku: string, order: number, body: Reserve, reason?: string) {
    if (typeof order !== 'number') throw new BadRequestException('no number');
    return { sku, order, ...body, reason: reason ?? null };
  }

  override async order(sku: string, quantity: number) {
    return { ordered: `${quantity} ${sku}` };
  }
}

/** An application that listens on a free port. */
export async function startApp(
  metadata: ModuleMetadata,
  adapter: unknown = new ExpressAdapter(),
  prepare: (app: INestApplication) => void = () => {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication(adapter as HttpServer, { logger: false });
  prepare(app);
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  return app;
}

export const portOf = (app: INestApplication): number =>
  (app.getHttpServer() as { address(): AddressInfo }).address().port;

/** The inventory service. */
export function inventory(more: ModuleMetadata = {}): ModuleMetadata {
  return {
    imports: modulesOf('inventory', {}),
    controllers: [StockController],
    providers: [Asked],
    ...more,
  };
}

/** What a caller of inventory imports. */
export function modulesOf(
  name: string,
  services: Record<string, string[]>,
  options: ClientModuleOptions = {},
): DynamicModule[] {
  return [
    DiscoveryModule.forRoot({ name, backend: staticInstances(services) }),
    UpstreamModule.forRoot({ defaults: { circuit: false, outlier: false } }),
    ClientModule.forRoot(options),
  ];
}
