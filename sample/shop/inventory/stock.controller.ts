import {
  Body,
  Controller,
  Get,
  Logger,
  NotFoundException,
  type OnModuleInit,
  Param,
  Put,
} from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { GatewayRoute } from 'nest-rookery';
import { StockRepository } from './stock.repository.js';

/** The shelf can be looked at by everyone; goods are reserved by other services only. */
@GatewayRoute('/api/stock')
@Controller('stock')
export class StockController implements OnModuleInit {
  private readonly logger = new Logger(StockController.name);

  constructor(
    private readonly stock: StockRepository,
    private readonly config: ConfigService,
  ) {}

  onModuleInit(): void {
    const initial = this.config.get<Record<string, number>>('inventory.initial-stock', {});
    for (const [sku, available] of Object.entries(initial)) this.stock.stockUp(sku, available);
  }

  @Get()
  list() {
    return this.stock.all();
  }

  @Get(':sku')
  find(@Param('sku') sku: string) {
    const item = this.stock.find(sku);
    if (!item) throw new NotFoundException(`The shop has no ${sku}.`);
    return item;
  }

  @GatewayRoute(false)
  @Put(':sku/reservations')
  reserve(@Param('sku') sku: string, @Body() body: { id: string; quantity: number }) {
    const reserved = this.stock.reserve(body.id, sku, body.quantity);
    this.logger.log(
      `Order ${body.id}: ${body.quantity} ${sku} ${reserved ? 'reserved' : 'sold out'}`,
    );
    return { reservation: reserved ? 'reserved' : 'sold-out' };
  }
}
