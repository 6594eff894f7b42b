import { InvalidOptionsError } from '../common/errors.js';
import type { HealthContributor } from './health-contributor.js';

/** Two contributors of one name would hide each other in an answer. */
export function refuseDuplicates(contributors: ReadonlySet<HealthContributor>): void {
  const seen = new Map<string, HealthContributor>();
  for (const contributor of contributors) {
    const other = seen.get(contributor.name);
    if (other) {
      throw new InvalidOptionsError(
        `Two health contributors are called "${contributor.name}": ${other.constructor.name} and ${contributor.constructor.name}. Give one of them another name.`,
      );
    }
    seen.set(contributor.name, contributor);
  }
}

/** A group that names a contributor which is not there would be well for ever. */
export function refuseUnknownNames(
  contributors: ReadonlySet<HealthContributor>,
  groups: Readonly<Record<string, readonly string[]>>,
): void {
  const known = [...contributors].map(({ name }) => name);
  for (const [group, names] of Object.entries(groups)) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new InvalidOptionsError(
      `health.groups.${group} names '${unknown}', but no health contributor is called that. There are: ${known.join(', ')}.`,
    );
  }
}
