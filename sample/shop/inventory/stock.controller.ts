import { Controller, Logger, NotFoundException, type OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { GatewayRoute } from 'nest-rookery';
import { InventoryContract, type Reserve, type Reserved } from '../contracts/inventory.contract.js';
import { type StockItem, StockRepository } from './stock.repository.js';

/** Keeps the contract of inventory: paths and methods are written there, and checked when it starts. */
@GatewayRoute('/api/stock')
@Controller()
export class StockController extends InventoryContract implements OnModuleInit {
  private readonly logger = new Logger(StockController.name);

  constructor(
    private readonly stock: StockRepository,
    private readonly config: ConfigService,
  ) {
    super();
  }

  onModuleInit(): void {
    const initial = this.config.get<Record<string, number>>('inventory.initial-stock', {});
    for (const [sku, available] of Object.entries(initial)) this.stock.stockUp(sku, available);
  }

  override async list(): Promise<StockItem[]> {
    return this.stock.all();
  }

  override async find(sku: string): Promise<StockItem> {
    const item = this.stock.find(sku);
    if (!item) throw new NotFoundException(`The shop has no ${sku}.`);
    return item;
  }

  override async reserve(sku: string, body: Reserve): Promise<Reserved> {
    const reserved = this.stock.reserve(body.id, sku, body.quantity);
    this.logger.log(
      `Order ${body.id}: ${body.quantity} ${sku} ${reserved ? 'reserved' : 'sold out'}`,
    );
    return { reservation: reserved ? 'reserved' : 'sold-out' };
  }
}
