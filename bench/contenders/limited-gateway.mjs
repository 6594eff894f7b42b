// A gateway that counts in Redis what it lets through to an upstream of its own.
import 'reflect-metadata';
import { createServer } from 'node:http';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { staticInstances } from 'nest-rookery/discovery';
import { redisRateLimits } from 'nest-rookery/security';

const { PORT, REDIS, LIMIT, WHEN_DOWN = 'open' } = process.env;
const upstream = createServer((_request, response) => response.end('ok'));
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'limited',
      config: false,
      discovery: { backend: staticInstances({}) },
      gateway: {
        routes: [{ path: '/api/{*rest}', to: `http://127.0.0.1:${upstream.address().port}` }],
        security: {
          store: redisRateLimits({ url: REDIS, whenDown: WHEN_DOWN }),
          rateLimits: [{ limit: Number(LIMIT), per: '10m', by: 'header:x-client' }],
        },
      },
    }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(Number(PORT), '127.0.0.1');
process.stdout.write('ready\n');
