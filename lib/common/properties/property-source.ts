/** What a property can be on the wire. */
export type PropertyValue = string | number | boolean | null;

/**
 * One named layer of configuration, as flat keys: `{ 'db.pool.max': 50, 'db.hosts[0]': 'a' }`.
 *
 * It is the model of Spring Cloud Config, and the one thing that the config server and its clients share.
 */
export interface PropertySource {
  /** Where it comes from: `file:orders-prod.yml`. Unique within a snapshot. */
  readonly name: string;
  readonly source: Readonly<Record<string, PropertyValue>>;
  /** Where each value stands: `file:orders-prod.yml:12:3`. */
  readonly origins?: Readonly<Record<string, string>>;
}
