import { InvalidOptionsError } from '../../common/errors.js';

/** Nest's own numbers for the decorators of parameters; its enum is not exported (common/enums/route-paramtypes). */
const RESPONSE = 1;
const NEXT = 2;
const BODY = 3;
const QUERY = 4;
const PARAM = 5;
const HEADERS = 6;
const FILE = 8;
const FILES = 9;

type Place = 'body' | 'query' | 'param' | 'headers';

/** Where an argument goes. */
interface ContractArgument {
  readonly index: number;
  readonly place: Place;
  /** The name in `@Query('sku')`; without one the argument is an object of all. */
  readonly name: string | undefined;
}

/** Where the arguments of a method go. */
export interface ContractArguments {
  readonly sent: readonly ContractArgument[];
  /** The parameters that the service fills in by itself, such as `@Ip()`. */
  readonly local: ReadonlySet<number>;
}

const PLACES: Readonly<Record<number, Place>> = {
  [BODY]: 'body',
  [QUERY]: 'query',
  [PARAM]: 'param',
  [HEADERS]: 'headers',
};

const IMPOSSIBLE = new Map([
  [RESPONSE, '@Res'],
  [NEXT, '@Next'],
  [FILE, '@UploadedFile'],
  [FILES, '@UploadedFiles'],
]);

/** Reads the decorators of a method's parameters; refuses what no client could give. */
export function argumentsOf(label: string, path: string, metadata: unknown): ContractArguments {
  const sent: ContractArgument[] = [];
  const local = new Set<number>();
  for (const [key, value] of Object.entries(metadata ?? {})) {
    const { index, data } = value as { index: number; data?: unknown };
    const kind = Number(key.split(':', 1)[0]);
    const impossible = IMPOSSIBLE.get(kind);
    if (impossible) {
      refuse(
        label,
        `has a parameter with ${impossible}, which no client can give`,
        'Leave it to the controller.',
      );
    }
    const place = PLACES[kind];
    if (place) sent.push({ index, place, name: typeof data === 'string' ? data : undefined });
    else local.add(index);
  }
  checkParams(label, path, sent);
  return { sent: sent.toSorted((a, b) => a.index - b.index), local };
}

/** The parameters in a path: `/stock/:sku` has one. */
function paramsIn(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}

function checkParams(label: string, path: string, sent: readonly ContractArgument[]): void {
  const given = sent.filter(({ place }) => place === 'param');
  if (given.some(({ name }) => name === undefined)) return;
  const wanted = paramsIn(path);
  for (const name of wanted) {
    if (!given.some((each) => each.name === name)) {
      refuse(
        label,
        `has no parameter for ":${name}" in ${path}`,
        `Give it one with @Param('${name}').`,
      );
    }
  }
  for (const { name } of given) {
    if (!wanted.includes(name ?? '')) {
      refuse(
        label,
        `has @Param('${name}'), but ${path} has no ":${name}"`,
        'Correct one of the two.',
      );
    }
  }
}

function refuse(label: string, problem: string, remedy: string): never {
  throw new InvalidOptionsError(`${label} ${problem}. ${remedy}`);
}
