/** How much processor time a piece of work takes, in ms: unlike the time of day, it is the same on a busy machine. */
export function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return msSince(before);
}

/** The processor time that this process has used since then, in ms. */
export function msSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
