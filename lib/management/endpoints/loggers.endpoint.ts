import { Injectable, Optional } from '@nestjs/common';
import { InvalidOptionsError } from '../../common/errors.js';
import {
  type ManagementAnswer,
  ManagementEndpoint,
  type ManagementRequest,
} from '../../common/management-endpoint.js';
import type { LogLevels } from '../../telemetry/log-levels.js';
import { RookeryLogger } from '../../telemetry/rookery-logger.js';
import type { LogLevel } from '../../telemetry/telemetry.options.js';

/** Spring's words for the levels. */
const WORDS: Readonly<Record<LogLevel, string>> = {
  silent: 'OFF',
  fatal: 'FATAL',
  error: 'ERROR',
  warn: 'WARN',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
};

/** What Spring calls the level of all contexts that have none of their own. */
const ROOT = 'ROOT';

/** A context as Nest names it. */
const CONTEXT = /^[\w $.:@/-]{1,100}$/;

/**
 * Shows and changes what is logged: `POST /loggers/Orders` with `{ "configuredLevel": "DEBUG" }`. The shape is that of
 * Spring Boot's `/loggers`.
 */
@Injectable()
export class LoggersEndpoint extends ManagementEndpoint {
  override readonly id = 'loggers';
  override readonly methods = ['GET', 'POST'];

  constructor(@Optional() private readonly logger?: RookeryLogger) {
    super();
  }

  override answer({ method, path, body }: ManagementRequest): ManagementAnswer | undefined {
    const levels = this.logger?.levels;
    if (!levels || path.length > 1) return undefined;
    const [context] = path;
    if (method === 'POST') {
      if (context === undefined)
        throw new InvalidOptionsError('Say whose level, as in /loggers/ROOT.');
      change(levels, context, body);
      return {};
    }
    if (context !== undefined) return { body: shown(levels, context) };
    const loggers = [ROOT, ...levels.contexts()].map((each) => [each, shown(levels, each)]);
    return { body: { levels: Object.values(WORDS), loggers: Object.fromEntries(loggers) } };
  }
}

function shown(levels: LogLevels, context: string): object {
  if (context === ROOT) {
    return { configuredLevel: WORDS[levels.root], effectiveLevel: WORDS[levels.root] };
  }
  const given = levels.given(context);
  return {
    configuredLevel: given === undefined ? null : WORDS[given],
    effectiveLevel: WORDS[levels.of(context)],
  };
}

function change(levels: LogLevels, context: string, body: unknown): void {
  const word = (body as { readonly configuredLevel?: unknown } | undefined)?.configuredLevel;
  const level = levelOf(word);
  if (!CONTEXT.test(context)) throw new InvalidOptionsError('No logger can have that name.');
  if (context !== ROOT) levels.set(context, level);
  else if (level !== undefined) levels.root = level;
}

/** Spring's word or ours, in any case; `null` or nothing takes a context's own level away. */
export function levelOf(word: unknown): LogLevel | undefined {
  if (word === null || word === undefined) return undefined;
  const text = typeof word === 'string' ? word.toLowerCase() : '';
  const found = (Object.entries(WORDS) as [LogLevel, string][]).find(
    ([level, spring]) => level === text || spring.toLowerCase() === text,
  );
  if (found) return found[0];
  throw new InvalidOptionsError(
    `A level cannot be '${text.slice(0, 40)}'. Make it one of ${Object.values(WORDS).join(', ')}.`,
  );
}
