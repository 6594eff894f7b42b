import { Module } from '@nestjs/common';
import { RookeryModule } from 'nest-rookery';

/** The only door of the shop: it learns its routes from what the services publish. */
@Module({
  imports: [
    RookeryModule.forRoot({
      name: process.env['SERVICE_NAME'] ?? 'gateway',
      logs: true,
      metrics: true,
      gateway: {
        accessLog: true,
        // Who may publish what, so that no other service can take these paths over.
        discovery: {
          claims: {
            orders: ['/api/orders'],
            inventory: ['/api/stock'],
            payments: ['/api/payments'],
          },
        },
      },
    }),
  ],
})
export class AppModule {}
