/**
 * What a request must pass beside path, method and host, as data: the name of a predicate of the gateway's, and its
 * arguments, such as `{ Header: { name: 'x-beta', value: '1' } }`.
 */
export type RoutePredicateData = Readonly<Record<string, RoutePredicateArgs>>;

/** The arguments of a predicate, as data. */
export type RoutePredicateArgs = Readonly<
  Record<string, string | number | boolean | readonly string[]>
>;

const MOST_PREDICATES = 16;
const MOST_BYTES = 1_024;
const NAME = /^[A-Za-z][\w-]{0,63}$/;

/** What is wrong with predicates that a stranger wrote; undefined when nothing. Whether their names are known is the gateway's to say. */
export function problemOfPredicates(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length > MOST_PREDICATES)
    return `has no list of at most ${MOST_PREDICATES} predicates`;
  return value.map(problemOf).find((problem) => problem !== undefined);
}

/** Predicates as a text to compare: in whatever order, and with their arguments in whatever order. */
export function textOfPredicates(predicates: readonly RoutePredicateData[] = []): string {
  const texts = predicates.map((predicate) =>
    JSON.stringify(
      Object.entries(predicate).map(([name, args]) => [
        name.toLowerCase(),
        Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ]),
    ),
  );
  return texts.toSorted().join();
}

function problemOf(value: unknown): string | undefined {
  const entries = isObject(value) ? Object.entries(value) : [];
  const [[name, args] = ['', undefined]] = entries;
  if (entries.length !== 1 || !NAME.test(name) || !isObject(args))
    return 'has a predicate that is not written like { Name: { … } }';
  if (JSON.stringify(args).length > MOST_BYTES)
    return `has a predicate with more than ${MOST_BYTES} bytes of arguments`;
  // A regular expression can keep a process busy for ever, so those of strangers are never run.
  if (Object.hasOwn(args, 'matches'))
    return "has a predicate with 'matches'; a manifest names values, not expressions";
  return Object.values(args).every(isArgument)
    ? undefined
    : 'has a predicate whose arguments are no plain data';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isArgument(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return ['string', 'number', 'boolean'].includes(typeof value);
}
