import { BadRequestException, Body, Controller, Get, Param, Post } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { ConfigValue, GatewayRoute, LocalInstance } from 'nest-rookery';
import { OrdersService } from './orders.service.js';

/** Public as /api/orders, because of `@GatewayRoute`. */
@GatewayRoute('/api/orders')
@Controller('orders')
export class OrdersController {
  @ConfigValue('orders.banner', 'Welcome')
  private readonly banner!: string;

  constructor(
    private readonly orders: OrdersService,
    private readonly instance: LocalInstance,
  ) {}

  @Get()
  list() {
    return {
      servedBy: this.instance.current?.id,
      banner: this.banner,
      orders: this.orders.newest(),
    };
  }

  @Get(':id')
  find(@Param('id') id: string) {
    return this.orders.find(id);
  }

  @Post()
  create(@Body() body: { sku?: unknown; quantity?: unknown } | undefined) {
    const { sku, quantity = 1 } = body ?? {};
    if (typeof sku !== 'string' || !/^[a-z-]{1,40}$/.test(sku)) {
      throw new BadRequestException('sku must be a lower-case word, such as "apple".');
    }
    if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1) {
      throw new BadRequestException('quantity must be a whole number from 1 on.');
    }
    return this.orders.place(sku, quantity);
  }

  @GatewayRoute(false)
  @EventPattern('payment.settled')
  settled(@Payload() event: { orderId: string }) {
    this.orders.settle(event.orderId);
  }
}
