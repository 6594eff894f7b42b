// What Linux says of processes and cores. CPU time comes from the scheduler's own books, in nanoseconds: what others do
// on the machine changes it far less than it changes requests per second.
import { readdirSync, readFileSync } from 'node:fs';

/** A process and all its descendants. */
function family(pid) {
  const children = read(`/proc/${pid}/task`, readdirSync, []).flatMap((thread) =>
    text(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

/** The CPU time that a process and its descendants have used, in ns. */
export function cpuTime(pid) {
  return sum(family(pid), (each) =>
    sum(read(`/proc/${each}/task`, readdirSync, []), (thread) =>
      Number(text(`/proc/${each}/task/${thread}/schedstat`).split(' ', 1)[0]),
    ),
  );
}

/** The memory that a process and its descendants hold, in MB. */
export function memory(pid) {
  return sum(
    family(pid),
    (each) => Number(/^VmRSS:\s+(\d+)/m.exec(text(`/proc/${each}/status`))?.[1] ?? 0) / 1_024,
  );
}

/** How long a core has been busy, in ns. */
export function busyTime(core) {
  const line = text('/proc/stat')
    .split('\n')
    .find((each) => each.startsWith(`cpu${core} `));
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * 1e7;
}

const text = (path) => read(path, (each) => readFileSync(each, 'utf8'), '');
const sum = (list, figure) => list.reduce((total, each) => total + figure(each), 0);

/** A process or thread may end while it is looked at. */
function read(path, reader, otherwise) {
  try {
    return reader(path);
  } catch {
    return otherwise;
  }
}
