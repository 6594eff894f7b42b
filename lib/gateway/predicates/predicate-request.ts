import { HeaderList } from '../filters/header-list.js';
import { QueryList } from '../filters/query-list.js';
import type { WeightGroups } from './weight-groups.js';

/** What a request is asked by. */
export interface AskedRequest {
  readonly method: string;
  /** Canonical, without parameters behind semicolons. */
  readonly path: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  /** Without its port, in small letters. */
  readonly host: string;
  readonly rawHeaders: readonly string[];
  /** The peer's address. */
  readonly address: string;
}

/** A request as predicates see it; nothing is read before somebody asks. */
export class PredicateRequest implements AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly rawHeaders: readonly string[];
  readonly address: string;
  private headerList: HeaderList | undefined = undefined;
  private queryList: QueryList | undefined = undefined;
  /** @internal The groups of the table that is asked. */
  groups: WeightGroups | undefined = undefined;
  /** The routes that were drawn for this request. */
  private draws: Map<string, string> | undefined = undefined;

  constructor(asked: AskedRequest) {
    this.method = asked.method;
    this.path = asked.path;
    this.query = asked.query;
    this.host = asked.host;
    this.rawHeaders = asked.rawHeaders;
    this.address = asked.address;
  }

  /** Every value of a header. */
  headers(name: string): readonly string[] {
    return (this.headerList ??= new HeaderList([...this.rawHeaders])).getAll(name);
  }

  /** Every value of a query parameter, decoded. */
  parameters(name: string): readonly string[] {
    return (this.queryList ??= new QueryList(this.query)).getAll(name);
  }

  /** Every value of a cookie, as it was sent. */
  cookies(name: string): readonly string[] {
    return this.headers('cookie')
      .flatMap((line) => line.split(';'))
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'));
  }

  /** @internal The route of a group that this request is for; drawn once. */
  drawn(group: string, random: () => number): string {
    const known = this.draws?.get(group);
    if (known !== undefined) return known;
    const route = this.groups?.draw(group, random()) ?? '';
    (this.draws ??= new Map()).set(group, route);
    return route;
  }
}
