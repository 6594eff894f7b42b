import { Module } from '@nestjs/common';
import { RookeryModule } from 'nest-rookery';
import { ConfigServerModule, fileRepository } from 'nest-rookery/config-server';

/** Serves the files of sample/shop/config to all other services. */
@Module({
  imports: [
    RookeryModule.forRoot({
      name: process.env['SERVICE_NAME'] ?? 'config-server',
      logs: true,
      metrics: true,
      config: false,
    }),
    ConfigServerModule.forRoot({
      repository: fileRepository({ path: process.env['CONFIG_REPOSITORY'] ?? 'config' }),
    }),
  ],
})
export class AppModule {}
