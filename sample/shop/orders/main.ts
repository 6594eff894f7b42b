import 'reflect-metadata';
import { startService } from 'nest-rookery';
import { DiscoverableTcpServer } from 'nest-rookery/messaging';
import { AppModule } from './app.module.js';

await startService(AppModule, {
  port: 0,
  // Events come in over TCP, on a port that discovery tells the others.
  prepare: async (app) => {
    app.connectMicroservice(
      { strategy: app.get(DiscoverableTcpServer) },
      { inheritAppConfig: true },
    );
    await app.startAllMicroservices();
  },
});
