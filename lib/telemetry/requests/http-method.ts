/** RFC 9110 and RFC 5789. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
]);

/** A method as metrics and spans name it: one that is well known, or `_OTHER`, as OpenTelemetry says. */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}
