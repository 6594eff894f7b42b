import { Module } from '@nestjs/common';
import { RookeryModule } from 'nest-rookery';
import { StockController } from './stock.controller.js';
import { StockRepository } from './stock.repository.js';

@Module({
  imports: [
    RookeryModule.forRoot({
      name: process.env['SERVICE_NAME'] ?? 'inventory',
      logs: true,
      metrics: true,
    }),
  ],
  controllers: [StockController],
  providers: [StockRepository],
})
export class AppModule {}
