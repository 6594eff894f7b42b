const HOST = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_](?:[a-z0-9_-]{0,62})$/;

/** Whether a value is a host that a route can be bound to: `shop.example.com` or `*.example.com`, in small letters. */
export function isRouteHost(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 253 && HOST.test(value);
}
