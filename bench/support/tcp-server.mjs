// Nest's own TCP microservice with one handler, in a process of its own.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';

class EchoController {
  echo(data) {
    return data;
  }
}
Controller()(EchoController);
MessagePattern('echo')(
  EchoController.prototype,
  'echo',
  Object.getOwnPropertyDescriptor(EchoController.prototype, 'echo'),
);
class EchoModule {}
Module({ controllers: [EchoController] })(EchoModule);

const app = await NestFactory.createMicroservice(EchoModule, {
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: 0 },
  logger: false,
});
await app.listen();
process.send({ port: app.unwrap().address().port });
process.on('disconnect', () => process.exit());
