import type { ServiceInstance } from './service-instance.js';

/** What is known of a service at a moment. Unchanged instances are the same objects as in the view before. */
export interface ServiceView {
  readonly service: string;
  /** The instances that take traffic. */
  readonly instances: readonly ServiceInstance[];
  /** Every registered instance, whatever its status. */
  readonly all: readonly ServiceInstance[];
  /** Whether the registry is away, so that this is only what was known before. */
  readonly stale: boolean;
  /** Since when it is that, in ms since 1970. */
  readonly staleSince?: number;
  readonly added: readonly ServiceInstance[];
  readonly removed: readonly ServiceInstance[];
  readonly changed: readonly ServiceInstance[];
}
