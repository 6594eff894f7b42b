// The gateway of the fault scenarios, with nothing set that a user would not have.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { EventHub, RookeryModule, startService } from 'nest-rookery';

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
// Why calls failed, for the figures of a promise that was not kept.
const reasons = {};
app.get(EventHub).on('call.ended', ({ error }) => {
  if (error !== undefined) reasons[error.code] = (reasons[error.code] ?? 0) + 1;
});
process.on('message', ({ id }) => process.send?.({ id, value: reasons }));
process.channel?.unref();
process.send?.({ port: app.getHttpServer().address().port });
