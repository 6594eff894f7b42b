import type { PropertySource } from '../common/properties/property-source.js';
import type { PublishedConfig } from './config-assembler.js';
import type { ConfigQuery } from './config-request.js';

/** The media type in which every value comes with its origin; Spring's clients ask for it. */
export const TRACED = 'application/vnd.spring-cloud.config-server.v2+json';

/** Whether the client wants values with their origins. */
export function isTraced(accept: string | undefined): boolean {
  return accept?.toLowerCase().includes(TRACED) ?? false;
}

/** The environment as Spring Cloud Config's JSON; the first source wins. */
export function environmentJson(
  { application, profiles }: ConfigQuery,
  { version, label, sources }: PublishedConfig,
  traced: boolean,
): string {
  return JSON.stringify({
    name: application,
    profiles,
    label: label ?? null,
    version,
    state: null,
    propertySources: sources.map((source) => ({
      name: source.name,
      source: traced ? withOrigins(source) : source.source,
    })),
  });
}

function withOrigins({ name, source, origins }: PropertySource): object {
  const entries = Object.entries(source).map(([key, value]) => [
    key,
    { value, origin: origins?.[key] ?? name },
  ]);
  return Object.fromEntries(entries) as object;
}
