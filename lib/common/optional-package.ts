import { InvalidOptionsError } from './errors.js';

/**
 * Loads a package that is needed only by those who use a feature.
 *
 * @param name the package, as it is installed
 * @param use what needs it, as the beginning of a sentence: `'TelemetryModule logs with pino'`
 * @param remedy what to do besides installing it, as the end of a sentence
 * @throws InvalidOptionsError when it is not installed; any other failure of loading it stays what it is
 */
export async function optionalPackage<T>(
  load: () => Promise<T>,
  { name, use, remedy }: { readonly name: string; readonly use: string; readonly remedy?: string },
): Promise<T> {
  return load().catch((cause: NodeJS.ErrnoException) => {
    const isMissing = cause.code === 'ERR_MODULE_NOT_FOUND' || cause.code === 'MODULE_NOT_FOUND';
    if (!isMissing || !cause.message.includes(name)) throw cause;
    throw new InvalidOptionsError(
      `${use}, which is not installed. Run \`npm install ${name}\`${remedy ? `, or ${remedy}` : ''}.`,
    );
  });
}
