// A cable with a delay between two hosts: delay.c, compiled when a bench starts, because few kernels of
// virtual machines have netem. Linux, as root.

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyNoLan, type LanHost } from '../../test/fixtures/lan.ts';

const SOURCE = fileURLToPath(new URL('delay.c', import.meta.url));
const BUILD_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/delay/', import.meta.url));
/** IPv4, of the first host and of the other. */
export const CABLE_ADDRESSES = ['10.78.0.1', '10.78.0.2'] as const;

/** Why this machine can have no such cable; undefined if it can. */
export function whyNoDelay(): string | undefined {
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler';
  return whyNoLan();
}

export interface DelayedCable {
  unplug(): Promise<void>;
}

/** From now on the two hosts reach each other by this cable, and nothing else. `delayMs`: of each way. */
export async function plugDelayed(one: LanHost, other: LanHost, delayMs: number): Promise<DelayedCable> {
  mkdirSync(BUILD_FOLDER, { recursive: true });
  const program = join(BUILD_FOLDER, 'delay');
  execFileSync('cc', ['-O2', '-o', program, SOURCE]);
  const [near, far] = CABLE_ADDRESSES;
  const parameters = [one.namespace, near, other.namespace, far, String(Math.round(delayMs * 1_000))];
  // The first host is where it is started; it enters both.
  const child = one.spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('it is a pipe');
  await once(child.stdout, 'data');
  for (const host of [one, other]) {
    host.ip('link', 'set', 'eth0', 'down');
    // Browsers look at it to learn which address is theirs.
    host.ip('route', 'replace', 'default', 'dev', 'delay0');
  }
  return {
    async unplug() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
