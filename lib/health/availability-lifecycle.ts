import type { Server } from 'node:http';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Availability } from './availability.js';

/** Moves `Availability` with Nest's life: ready once the HTTP server listens, draining once the application closes. */
@Injectable()
export class AvailabilityLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly availability: Availability,
  ) {}

  onApplicationBootstrap(): void {
    // A microservice or a bare application context has no HTTP server: it is ready when it has started.
    const server = this.host?.httpAdapter?.getHttpServer() as Server | undefined;
    const ready = () => this.availability.become('ready');
    if (!server || server.listening) ready();
    else server.once('listening', ready);
  }

  onModuleDestroy(): void {
    this.availability.become('draining');
  }
}
