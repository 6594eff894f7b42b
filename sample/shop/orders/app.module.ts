import { Module } from '@nestjs/common';
import { ClientModule, RookeryModule } from 'nest-rookery';
import { MessagingModule } from 'nest-rookery/messaging';
import { InventoryContract } from '../contracts/inventory.contract.js';
import { InventoryFallback } from './inventory.fallback.js';
import { OrdersController } from './orders.controller.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [
    RookeryModule.forRoot({
      name: process.env['SERVICE_NAME'] ?? 'orders',
      logs: true,
      metrics: true,
    }),
    MessagingModule.forRoot(),
    MessagingModule.forFeature(['payments']),
    // Calls go to a living instance, behind a circuit.
    ClientModule.forFeature([{ contract: InventoryContract, fallback: InventoryFallback }]),
  ],
  controllers: [OrdersController],
  providers: [OrdersRepository, OrdersService],
})
export class AppModule {}
