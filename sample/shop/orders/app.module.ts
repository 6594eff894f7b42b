import { Module } from '@nestjs/common';
import { RookeryModule } from 'nest-rookery';
import { MessagingModule } from 'nest-rookery/messaging';
import { InventoryClient } from './inventory.client.js';
import { OrdersController } from './orders.controller.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [
    RookeryModule.forRoot({ name: process.env['SERVICE_NAME'] ?? 'orders', logs: true }),
    MessagingModule.forRoot(),
    MessagingModule.forFeature(['payments']),
  ],
  controllers: [OrdersController],
  providers: [InventoryClient, OrdersRepository, OrdersService],
})
export class AppModule {}
