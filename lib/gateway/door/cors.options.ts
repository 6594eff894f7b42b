import type { Duration } from '../../common/duration.js';
import {
  duration,
  flag,
  group,
  list,
  type OptionReader,
  refuse,
  textOf,
} from '../../common/option-readers.js';

/** Which pages of other origins may use a route, from within a browser. */
export interface CorsOptions {
  /** The origins, such as `https://shop.example.com`; `['*']` is all. */
  readonly origins: readonly string[];
  /** @default GET, HEAD, POST, PUT, PATCH, DELETE */
  readonly methods?: readonly string[];
  /** The request headers that pages may set. @default content-type, authorization */
  readonly headers?: readonly string[];
  /** The answer's headers that pages may read. @default none beyond the safe ones */
  readonly exposed?: readonly string[];
  /** Whether cookies and other credentials go along; not with `['*']`. @default false */
  readonly credentials?: boolean;
  /** How long a browser may remember a preflight. @default '10m' */
  readonly maxAge?: Duration;
}

const origin: OptionReader<string> = (value, path) => {
  const text = textOf()(value, path);
  if (text === '*' || (URL.canParse(text) && new URL(text).origin === text)) return text;
  return refuse(
    path,
    `is '${text}', no origin`,
    "Write it like 'https://shop.example.com', or '*'.",
  );
};

const read = group({
  origins: list(origin),
  methods: list(textOf({ matches: /^[A-Z]+$/, remedy: 'Write it in capitals.' })),
  headers: list(textOf({ matches: /^[\w-]+$/, remedy: 'Write the name of a header.' })),
  exposed: list(textOf({ matches: /^[\w-]+$/, remedy: 'Write the name of a header.' })),
  credentials: flag(false),
  maxAge: duration('10m'),
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Which pages may use a route, checked. */
export type CorsSettings = ReturnType<typeof read>;

/** Reads which pages may use a route. */
export const readCors: OptionReader<CorsSettings> = (value, path) => {
  const given = typeof value === 'object' && value !== null ? value : {};
  const settings = read(
    { methods: METHODS, headers: ['content-type', 'authorization'], ...given },
    path,
  );
  if (settings.origins.length === 0)
    refuse(`${path}.origins`, 'is empty', 'Name the origins that may.');
  if (settings.credentials && settings.origins.includes('*'))
    refuse(
      `${path}.credentials`,
      "is true beside the origin '*'",
      'Name the origins that may use them.',
    );
  return settings;
};
