import { doctor } from './doctor.js';
import { explain } from './explain.command.js';
import { instances } from './instances.command.js';
import { registry } from './registry.command.js';
import { routes } from './routes.command.js';
import { services } from './services.command.js';

/** Every command by its name. */
export const commands = { services, instances, routes, explain, doctor, registry } as const;
