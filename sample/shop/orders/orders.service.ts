import { randomUUID } from 'node:crypto';
import {
  BadRequestException,
  ConflictException,
  Injectable,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { messageOf } from 'nest-rookery';
import { InjectClient, type DiscoveryClientProxy } from 'nest-rookery/messaging';
import { lastValueFrom } from 'rxjs';
import { InventoryContract } from '../contracts/inventory.contract.js';
import type { Order } from './order.js';
import { OrdersRepository } from './orders.repository.js';

/** What the shop can do with orders. */
@Injectable()
export class OrdersService {
  private readonly logger = new Logger(OrdersService.name);

  constructor(
    private readonly orders: OrdersRepository,
    private readonly inventory: InventoryContract,
    private readonly config: ConfigService,
    @InjectClient('payments') private readonly payments: DiscoveryClientProxy,
  ) {}

  newest(): Order[] {
    return this.orders.newest(10);
  }

  find(id: string): Order {
    const order = this.orders.find(id);
    if (!order) throw new NotFoundException(`There is no order ${id}.`);
    return order;
  }

  /** Reserves the goods, keeps the order and, if they are ours, lets payments know, without waiting for it. */
  async place(sku: string, quantity: number): Promise<Order> {
    const most = this.config.get<number>('orders.max-quantity', 20);
    if (quantity > most) throw new BadRequestException(`Order at most ${most} at once.`);
    const id = randomUUID();
    const { reservation } = await this.inventory.reserve(sku, { id, quantity });
    if (reservation === 'sold-out') throw new ConflictException(`There is not enough ${sku}.`);
    const order: Order = {
      id,
      sku,
      quantity,
      status: reservation === 'reserved' ? 'placed' : 'awaiting-stock',
    };
    this.orders.add(order);
    this.logger.log(`Order ${id} is ${order.status}`);
    // What nobody has reserved must not be paid.
    if (order.status === 'placed') void this.announce(order);
    return order;
  }

  /** Payments has settled an order. */
  settle(id: string): void {
    this.orders.mark(id, 'paid');
    this.logger.log(`Order ${id} is paid`);
  }

  // Over TCP an event arrives at most once: it is lost when payments ends before handling it. A shop that must not lose
  // events keeps them in an outbox table until payments has confirmed them.
  private async announce(order: Order): Promise<void> {
    try {
      await lastValueFrom(this.payments.emit('order.placed', order), { defaultValue: undefined });
    } catch (error) {
      this.logger.error(`Payments did not hear of order ${order.id}: ${messageOf(error)}`);
    }
  }
}
