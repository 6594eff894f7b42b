// Where the programs are that are no npm packages; what the machine lacks is fetched from Debian, without root.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ensure = fileURLToPath(new URL('../../scripts/ensure-deb.sh', import.meta.url));

/** The path of a program that the Debian package of the same name brings. */
export function tool(name) {
  return execFileSync('sh', [ensure, name, name], { encoding: 'utf8' }).trim();
}
