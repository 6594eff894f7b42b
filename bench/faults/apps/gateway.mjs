// The gateway of the fault scenarios, with nothing set that a user would not have.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { RookeryModule, startService } from 'nest-rookery';

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'gateway',
      config: false,
      gateway: { routes: [{ path: '/shop/{*rest}', to: 'shop' }] },
    }),
  ],
})(AppModule);

const app = await startService(AppModule, { port: 0, host: '127.0.0.1' });
process.send?.({ port: app.getHttpServer().address().port });
