import { Module } from '@nestjs/common';
import { RookeryModule } from 'nest-rookery';
import { MessagingModule } from 'nest-rookery/messaging';
import { PaymentsController } from './payments.controller.js';
import { PaymentsRepository } from './payments.repository.js';

@Module({
  imports: [
    RookeryModule.forRoot({
      name: process.env['SERVICE_NAME'] ?? 'payments',
      logs: true,
      metrics: true,
    }),
    MessagingModule.forRoot(),
    MessagingModule.forFeature(['orders']),
  ],
  controllers: [PaymentsController],
  providers: [PaymentsRepository],
})
export class AppModule {}
