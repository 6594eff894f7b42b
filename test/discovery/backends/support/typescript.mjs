// Lets a child process of a test run TypeScript as it is: node --import ./typescript.mjs child.ts
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from '@swc/core';

// Node runs the hooks below in a thread of their own, which loads this file a second time.
if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  const inner = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(inner ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    swcrc: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: {
        legacyDecorator: true,
        decoratorMetadata: true,
        useDefineForClassFields: false,
        verbatimModuleSyntax: true,
      },
    },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
