import { Controller, Get, Injectable, Module, type OnModuleDestroy, Param } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { ConfigValue, GatewayRoute, RookeryModule, ServiceClient } from 'nest-rookery';
import { memory, MemoryHub } from 'nest-rookery/discovery';

export const hub = new MemoryHub();

@Injectable()
export class Database implements OnModuleDestroy {
  open = true;

  onModuleDestroy() {
    this.open = false;
  }
}

@GatewayRoute('/api/orders')
@Controller('orders')
export class OrdersController {
  @ConfigValue('orders.banner', 'Welcome')
  private readonly banner!: string;

  constructor(
    private readonly database: Database,
    private readonly config: ConfigService,
  ) {}

  @Get(':id')
  find(@Param('id') id: string) {
    return { id, banner: this.banner, same: this.config.get('orders.banner') };
  }

  @Get(':id/slowly')
  async slowly(@Param('id') id: string) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return { id, database: this.database.open };
  }
}

@Module({
  imports: [
    RookeryModule.forRoot({
      name: 'orders',
      discovery: { backend: memory(hub) },
      config: { defaults: { orders: { banner: 'Open' } } },
    }),
  ],
  controllers: [OrdersController],
  providers: [Database],
})
export class OrdersModule {}

@Injectable()
export class Caller {
  constructor(private readonly client: ServiceClient) {}

  find(id: string) {
    return this.client.get<{ id: string }>('orders', `/orders/${id}`);
  }
}

@Module({
  imports: [
    RookeryModule.forRoot({ name: 'gateway', discovery: { backend: memory(hub) }, gateway: true }),
  ],
  providers: [Caller],
})
export class GatewayAppModule {}
