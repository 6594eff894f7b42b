import { RookeryError } from '../errors.js';

/**
 * A secret that cannot be made readable, or a text that cannot be made a secret.
 *
 * Every wrong ciphertext has the same sentence: what exactly is wrong with it would help whoever guesses.
 */
export class CipherError extends RookeryError {
  constructor(problem: string, cause?: unknown) {
    super(problem, { code: 'ERR_CIPHER', status: 400, cause });
  }
}
