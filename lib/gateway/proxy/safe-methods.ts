/** Idempotent methods that change nothing (RFC 9110, 9.2.1): PUT and DELETE twice can undo what others did in between. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
