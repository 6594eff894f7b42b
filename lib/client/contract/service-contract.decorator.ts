import { CONTROLLER_WATERMARK, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import type { Type } from '../../common/metadata-explorer.js';

/** How a service tells versions apart, as it says in `app.enableVersioning`. */
export type ContractVersioning =
  | { readonly type: 'uri'; readonly prefix?: string | false }
  | { readonly type: 'header'; readonly header: string }
  | { readonly type: 'media-type'; readonly key: string };

/** Where a service answers to its contract. */
export interface ContractOptions {
  /** The path of the controller. @default '' */
  readonly path?: string;
  /** The version of the controller. @default none */
  readonly version?: string;
  /** How the service tells versions apart. @default in the path, behind a `v` */
  readonly versioning?: ContractVersioning;
  /** The global prefix of the service. @default '' */
  readonly prefix?: string;
}

/** What `@ServiceContract` wrote. */
export interface ContractMark extends ContractOptions {
  readonly service: string;
}

/** The key of what `@ServiceContract` writes. */
const CONTRACT = Symbol.for('rookery:contract');

/**
 * Makes a class the contract of a service: base of its controller, and injectable client for everybody else.
 *
 * Its methods carry Nest's own decorators and the body `return remote();`. A controller extends it and overrides every
 * method; whoever names it in `ClientModule.forFeature` can inject it and call the same methods over the network.
 * Where the controller says `@Controller()`, its path and version are the contract's.
 *
 * @param options the path of the controller, or all options
 * @example
 * @ServiceContract('inventory', 'stock')
 * export abstract class InventoryContract {
 *   @Get(':sku')
 *   find(@Param('sku') sku: string): Promise<StockItem> {
 *     return remote(sku);
 *   }
 * }
 */
export function ServiceContract(
  service: string,
  options: string | ContractOptions = {},
): ClassDecorator {
  const given = typeof options === 'string' ? { path: options } : options;
  const mark: ContractMark = { ...given, service };
  return (target) => {
    Reflect.defineMetadata(CONTRACT, mark, target);
    Reflect.defineMetadata(CONTROLLER_WATERMARK, true, target);
    Reflect.defineMetadata(PATH_METADATA, mark.path ?? '/', target);
    if (mark.version !== undefined) Reflect.defineMetadata(VERSION_METADATA, mark.version, target);
  };
}

/** What a class itself says, if it is a contract. */
export function contractMarkOf(type: Type): ContractMark | undefined {
  return Reflect.getOwnMetadata(CONTRACT, type) as ContractMark | undefined;
}

/** The contract that a class extends, if any. */
export function contractAbove(type: Type): Type | undefined {
  for (let each = parentOf(type); each; each = parentOf(each))
    if (contractMarkOf(each)) return each;
  return undefined;
}

function parentOf(type: Type): Type | undefined {
  const parent: unknown = Object.getPrototypeOf(type);
  return typeof parent === 'function' && parent !== Function.prototype ? parent : undefined;
}
