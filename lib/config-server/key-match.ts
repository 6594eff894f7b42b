/**
 * Whether somebody who reads a key is touched by the change of another: it is the same, or one is below the other, as an
 * object or a list is read whole. `db.*` is all below `db`.
 */
export function isTouched(read: string, changed: string): boolean {
  const key = read.replace(/\.?\*$/, '');
  return key === '' || isBelow(key, changed) || isBelow(changed, key);
}

function isBelow(key: string, parent: string): boolean {
  if (!key.startsWith(parent)) return false;
  const next = key[parent.length];
  return next === undefined || next === '.' || next === '[';
}
