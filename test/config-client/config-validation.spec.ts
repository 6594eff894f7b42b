import { describe, expect, it } from '@jest/globals';
import { judge, type StandardSchema } from '../../lib/config-client/config-validation.js';

function schemaOf(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

function throwing(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

describe('a check of the configuration', () => {
  const tree = { db: { hosts: ['one'], password: 'hunter22' } };

  it('lets everything pass when there is none', async () => {
    expect(await judge(tree, undefined)).toEqual({ good: true, tree });
  });

  it('takes what a schema made of the document', async () => {
    const schema = schemaOf(async (value) => ({ value: { ...(value as object), max: 3 } }));
    expect(await judge(tree, schema)).toEqual({ good: true, tree: { ...tree, max: 3 } });
  });

  it('takes the document as it is when a function returns nothing', async () => {
    expect(await judge(tree, () => undefined)).toEqual({ good: true, tree });
  });

  it('names the key of each problem, and never the value', async () => {
    const schema = schemaOf(() => ({
      issues: [
        { message: 'expected a number, received "hunter22"', path: ['db', { key: 'password' }] },
        { message: 'too short', path: ['db', 'hosts', 0] },
        { message: 'no' },
      ],
    }));
    expect(await judge(tree, schema)).toEqual({
      good: false,
      issues: ['db.password: expected a number, received "******"', 'db.hosts[0]: too short', 'no'],
    });
  });

  it('refuses when a check throws', async () => {
    const refused = { good: false, issues: ['db.url is missing'] };
    const check = throwing('db.url is missing');
    expect(await judge(tree, check)).toEqual(refused);
    expect(await judge(tree, schemaOf(check))).toEqual(refused);
  });

  it('does not repeat a secret that a thrown sentence quotes', async () => {
    expect(await judge(tree, throwing('"hunter22" is too short'))).toEqual({
      good: false,
      issues: ['"******" is too short'],
    });
  });
});
