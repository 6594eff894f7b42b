import type { INestApplicationContext } from '@nestjs/common';
import type { CliArguments } from './cli-arguments.js';
import { examinations } from './examinations.js';
import { observe } from './observer.js';
import type { CliOutput } from './run-cli.js';

/** What was found of one thing. */
export interface Finding {
  readonly what: string;
  readonly state: 'fine' | 'wrong' | 'unknown';
  readonly says: string;
  /** What to do, where something is wrong. */
  readonly remedy?: string;
}

/** Looks at one thing; the findings before it are known. */
export type Examination = (
  app: INestApplicationContext,
  given: CliArguments,
) => Promise<readonly Finding[]>;

/** Looks at everything that keeps services from finding each other; each finding comes with its remedy. */
export async function doctor(given: CliArguments, output: CliOutput): Promise<number> {
  const findings = await observe(given, async (app) => {
    const all: Finding[] = [];
    for (const examine of examinations) {
      all.push(...(await examine(app, given)));
      // Behind a registry that does not answer there is nothing to look at.
      if (all.some(({ what, state }) => what === 'registry' && state === 'wrong')) break;
    }
    return all;
  });
  if (given.json) output.line(JSON.stringify(findings, null, 2));
  else {
    const marks = { fine: 'ok', wrong: '!!', unknown: '??' };
    for (const { what, state, says, remedy } of findings) {
      output.line(`${marks[state]} ${what}: ${says}`);
      if (remedy !== undefined) output.line(`   ${remedy}`);
    }
  }
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
}
