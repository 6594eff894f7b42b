// Bytes that say where they stand, so that a lost, doubled or foreign one is seen.
const PERIOD = 65_521;
const TWO = Buffer.from(Array.from({ length: PERIOD * 2 }, (_, at) => ((at % PERIOD) * 31) >> 3));

/** A piece of the endless pattern, from a place on. */
export function patternAt(at, length) {
  const from = at % PERIOD;
  return TWO.subarray(from, from + Math.min(length, PERIOD));
}

/** Whether bytes are those of the pattern from a place on. */
export function isPattern(bytes, at) {
  for (let done = 0; done < bytes.length;) {
    const piece = patternAt(at + done, bytes.length - done);
    if (!piece.equals(bytes.subarray(done, done + piece.length))) return false;
    done += piece.length;
  }
  return true;
}
