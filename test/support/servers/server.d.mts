export interface StartedServer {
  readonly pid: number;
  /** Those it listens on, to start it there again. */
  readonly ports: readonly number[];
  kill(): Promise<void>;
  stop(): Promise<void>;
  freeze(): void;
  thaw(): void;
}
export function freePorts(count: number): Promise<number[]>;
export function startEtcd(options?: {
  readonly ports?: readonly number[];
}): Promise<StartedServer & { readonly url: string }>;
export function startRedis(options?: {
  readonly ports?: readonly number[];
  readonly cluster?: boolean;
}): Promise<StartedServer & { readonly url: string; readonly port: number }>;
export function say(port: number, command: string): Promise<string>;
