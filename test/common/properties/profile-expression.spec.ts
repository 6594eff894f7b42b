import { describe, expect, it } from '@jest/globals';
import { profilesMatch } from '../../../lib/common/properties/profile-expression.js';

describe('a profile expression', () => {
  it.each([
    ['prod', true],
    ['dev', false],
    ['!dev', true],
    ['!prod', false],
    ['!!prod', true],
    ['prod & eu', true],
    ['prod & dev', false],
    ['dev | eu', true],
    ['dev | test', false],
    ['dev, eu', true],
    ['(prod & !eu) | (prod & eu)', true],
    ['prod & (dev | test)', false],
    ['eu&prod&!dev', true],
    ['eu-west', false],
  ])('"%s" is %s for prod and eu', (expression, holds) => {
    expect(profilesMatch(expression, new Set(['prod', 'eu']))).toBe(holds);
  });

  it.each(['', 'prod &', '& prod', 'prod eu', 'prod & eu | dev', '(prod', 'prod)', '!', '()'])(
    'refuses "%s"',
    (expression) => {
      expect(() => profilesMatch(expression, new Set())).toThrow(
        `"${expression}" is no profile expression.`,
      );
    },
  );
});
