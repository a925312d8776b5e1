// Processor time of this process and all that it started: unlike the time by the clock, it depends little on
// what else the machine does.

import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second (proc(5), sysconf(_SC_CLK_TCK)). */
const MS_PER_TICK = 10;

/** ms of those that still run; undefined where the system has no /proc. */
export function processorMs(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const all = new Map(readdirSync('/proc').flatMap((name) => statOf(Number(name))));
  const isOurs = (pid: number): boolean => {
    if (pid === process.pid) return true;
    const parent = all.get(pid)?.parent;
    return parent !== undefined && isOurs(parent);
  };
  return [...all].reduce((sum, [pid, { ms }]) => sum + (isOurs(pid) ? ms : 0), 0);
}

function statOf(pid: number): (readonly [number, { readonly parent: number; readonly ms: number }])[] {
  if (Number.isNaN(pid)) return [];
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // A program's name may have spaces and brackets.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, user = 0, system = 0] = [fields[1], fields[11], fields[12]];
    return [[pid, { parent, ms: (user + system) * MS_PER_TICK }]];
  } catch {
    return []; // it has ended
  }
}
