import { Controller, Get, Logger, NotFoundException, Param } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { EventPattern, Payload } from '@nestjs/microservices';
import { GatewayRoute, messageOf } from 'nest-rookery';
import { type DiscoveryClientProxy, InjectClient } from 'nest-rookery/messaging';
import { lastValueFrom } from 'rxjs';
import { PaymentsRepository } from './payments.repository.js';

/** Settles orders when it hears of them; nobody waits for it. */
@GatewayRoute('/api/payments')
@Controller('payments')
export class PaymentsController {
  private readonly logger = new Logger(PaymentsController.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly config: ConfigService,
    @InjectClient('orders') private readonly orders: DiscoveryClientProxy,
  ) {}

  @Get()
  list() {
    return this.payments.newest(10);
  }

  @Get(':orderId')
  find(@Param('orderId') orderId: string) {
    const payment = this.payments.find(orderId);
    if (!payment) throw new NotFoundException(`Order ${orderId} is not paid.`);
    return payment;
  }

  @GatewayRoute(false)
  @EventPattern('order.placed')
  async placed(@Payload() order: { id: string; quantity: number }): Promise<void> {
    const cents = order.quantity * this.config.get<number>('payments.price-in-cents', 100);
    const currency = this.config.get<string>('shop.currency', 'EUR');
    if (!this.payments.settle({ orderId: order.id, cents, currency })) return;
    this.logger.log(`Order ${order.id}: ${(cents / 100).toFixed(2)} ${currency} settled`);
    try {
      await lastValueFrom(this.orders.emit('payment.settled', { orderId: order.id }), {
        defaultValue: undefined,
      });
    } catch (error) {
      this.logger.error(`Orders did not hear of the payment of ${order.id}: ${messageOf(error)}`);
    }
  }
}
