import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { GatewayRoute, RookeryModule, startService } from 'nest-rookery';

@GatewayRoute('/api/greetings')
@Controller('greetings')
class GreetingsController {
  @Get(':name')
  greet(@Param('name') name: string) {
    return { greeting: `Hello, ${name}!` };
  }
}

@Module({
  imports: [RookeryModule.forRoot({ name: 'greetings' })],
  controllers: [GreetingsController],
})
class AppModule {}

await startService(AppModule);
