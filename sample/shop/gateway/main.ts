import 'reflect-metadata';
import { startService } from 'nest-rookery';
import { AppModule } from './app.module.js';

await startService(AppModule, { port: 8080 });
