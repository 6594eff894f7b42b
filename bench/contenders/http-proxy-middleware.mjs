// What most Nest applications do today: http-proxy-middleware under Express, here with an agent that keeps connections.
import 'reflect-metadata';
import { Agent } from 'node:http';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { peer } from '../support/peers.mjs';

const { PORT, UPSTREAMS } = process.env;
class AppModule {}
Module({})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false, bodyParser: false });
app.use(
  '/api',
  peer('http-proxy-middleware').createProxyMiddleware({
    target: `${UPSTREAMS.split(',')[0]}/api`,
    agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }),
    xfwd: true,
  }),
);
await app.listen(Number(PORT), '127.0.0.1');
