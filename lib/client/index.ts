export { RemoteError, UnreadableAnswerError } from './client.errors.js';
export { ClientModule } from './client.module.js';
export type { ClientOptions } from './client-request.js';
export { ServiceClient } from './service-client.js';
