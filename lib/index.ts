export { CommonModule } from './common/index.js';
