import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { IRateLimiterRes, RateLimiterRedis } from 'rate-limiter-flexible';
import { milliseconds } from '../../common/duration.js';
import { InvalidOptionsError, messageOf, RookeryError } from '../../common/errors.js';
import { duration, group, oneOf, optional, refuse, textOf } from '../../common/option-readers.js';
import type { Duration } from '../../common/duration.js';
import type { RateLimitSettings } from './rate-limit.js';
import { type RateDecision, type RateLimiter, RateLimitStore } from './rate-limiter.js';
