import { describe, expect, it } from '@jest/globals';
import { optionalPackage } from '../../lib/common/optional-package.js';

const missing = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from app.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });

describe('optionalPackage', () => {
  it('gives the package that is there', async () => {
    const loaded = optionalPackage(() => Promise.resolve({ jose: true }), {
      name: 'jose',
      use: 'x',
    });
    await expect(loaded).resolves.toEqual({ jose: true });
  });

  it('says what needs a package that is missing, and both remedies', async () => {
    const loaded = optionalPackage(() => Promise.reject(missing('jose')), {
      name: 'jose',
      use: 'jwt() checks tokens with jose',
      remedy: 'use another authenticator',
    });
    await expect(loaded).rejects.toThrow(
      'jwt() checks tokens with jose, which is not installed. Run `npm install jose`, or use another authenticator.',
    );
  });

  it('does not blame a package for what it lacks itself, nor for what it throws', async () => {
    const broken = new Error('broken');
    const loaded = [missing('tslib'), broken].map((cause) =>
      optionalPackage(() => Promise.reject(cause), { name: 'jose', use: 'x' }),
    );
    const settled = await Promise.allSettled(loaded);
    expect(settled.map((each) => each.status === 'rejected' && each.reason)).toEqual([
      expect.objectContaining({ message: expect.stringContaining('tslib') }),
      broken,
    ]);
  });
});
