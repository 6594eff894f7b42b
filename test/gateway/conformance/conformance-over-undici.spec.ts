import { judgeGateways } from './judged-gateway.js';

judgeGateways('undici');
