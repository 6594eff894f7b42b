import { Body, Get, Param, Put } from '@nestjs/common';
import { GatewayRoute, Remote, remote, ServiceContract } from 'nest-rookery';

export interface StockItem {
  readonly sku: string;
  readonly available: number;
}

export interface Reserve {
  /** The order; asking twice for the same one reserves once. */
  readonly id: string;
  readonly quantity: number;
}

export interface Reserved {
  /** `unknown` when inventory could not be asked. */
  readonly reservation: 'reserved' | 'sold-out' | 'unknown';
}

/** What inventory can be asked: its controller extends this class, and other services inject it. */
@ServiceContract('inventory', 'stock')
export abstract class InventoryContract {
  @Get()
  list(): Promise<StockItem[]> {
    return remote();
  }

  @Get(':sku')
  find(@Param('sku') sku: string): Promise<StockItem> {
    return remote(sku);
  }

  /** Goods are reserved by other services only, never through the gateway. */
  @GatewayRoute(false)
  @Put(':sku/reservations')
  @Remote({ timeout: '2s', idempotent: true })
  reserve(@Param('sku') sku: string, @Body() body: Reserve): Promise<Reserved> {
    return remote(sku, body);
  }
}
