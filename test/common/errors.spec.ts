import { HttpException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { InvalidOptionsError, messageOf, RookeryError } from '../../lib/common/errors.js';

class TeapotError extends RookeryError {}

describe('an error of this package', () => {
  const cause = new Error('too small');
  const error = new TeapotError('No coffee here.', { code: 'ERR_TEAPOT', status: 418, cause });

  it('leaves a controller with its status on every version of Nest', () => {
    expect(error).toBeInstanceOf(HttpException);
    expect(error.getStatus()).toBe(418);
    expect(error.getResponse()).toEqual({
      statusCode: 418,
      error: 'ERR_TEAPOT',
      message: 'No coffee here.',
    });
  });

  it('has a name, a code, a sentence and a cause', () => {
    expect(error).toMatchObject({
      name: 'TeapotError',
      code: 'ERR_TEAPOT',
      statusCode: 418,
      message: 'No coffee here.',
      cause,
    });
    expect(new InvalidOptionsError('x').code).toBe('ERR_INVALID_OPTIONS');
  });

  it.each([
    [new Error('plain'), 'plain'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new TypeError(), 'TypeError'],
    ['text', 'text'],
    [undefined, 'undefined'],
  ])('tells what was thrown: %p', (thrown, sentence) => {
    expect(messageOf(thrown)).toBe(sentence);
  });
});
