/** What a client must get; `refused` is an answer from 400 on, or the end of the connection without one. */
export type Expectation =
  | 'refused'
  | {
      readonly status?: number | readonly number[];
      readonly body?: string | RegExp;
      readonly head?: RegExp;
      readonly not?: RegExp;
      /** Whether the answer must be seen to be truncated. */
      readonly cut?: boolean;
      readonly count?: number;
    };

/** One row of a table. */
export interface ConformanceCase {
  readonly name: string;
  /** What the client sends, as latin1; several pieces leave apart. */
  readonly send: string | readonly string[];
  /** Whether each piece leaves when the one before it has been answered. @default after a moment */
  readonly inTurn?: boolean;
  /** The methods of its requests, where there are several. */
  readonly methods?: readonly string[];
  /** How many answers to wait for. */
  readonly answers?: number;
  /** What the origin answers, as latin1. */
  readonly answer?: string;
  /** Whether the origin then closes, or resets, the connection. */
  readonly close?: boolean;
  readonly reset?: boolean;
  readonly expect: Expectation;
  /** What the origin must have been sent. */
  readonly sees?: {
    readonly count?: number;
    readonly head?: RegExp;
    readonly not?: RegExp;
    readonly body?: string | RegExp;
  };
  /** Whether it is this gateway's own policy, which other proxies need not share. */
  readonly ours?: boolean;
}

export declare class Origin {
  listen(port?: number): Promise<number>;
  end(): Promise<void>;
}

export declare function runCase(
  row: ConformanceCase,
  origin: Origin,
  port: number,
): Promise<readonly string[]>;
