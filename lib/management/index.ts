export { ManagementListener } from './management-listener.js';
export { ManagementModule } from './management.module.js';
export type { ManagementOptions } from './management.options.js';
