// Packets that arrive while a socket is full are lost: how many were, and sockets at which none is. The
// latter's code is compiled when a bench starts. Linux, as root.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LanHost } from '../../test/fixtures/lan.ts';

const SOURCE = fileURLToPath(new URL('roomy-sockets.c', import.meta.url));
const BUILD_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/delay/', import.meta.url));
/** More than SCTP has under way here. */
const ROOMY_BYTES = 4_000_000;

/** Variables of a program's environment, whose UDP sockets then lose nothing for want of room. */
export function roomySockets(): Readonly<Record<string, string>> {
  mkdirSync(BUILD_FOLDER, { recursive: true });
  const library = join(BUILD_FOLDER, 'roomy-sockets.so');
  execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, SOURCE]);
  return { LD_PRELOAD: library, ROOMY_BYTES: String(ROOMY_BYTES) };
}

/** UDP packets that the host's sockets had no room for, since it is there (proc(5), /proc/net/snmp). */
export function lostAtSockets(host: LanHost): number {
  const { output } = host.run('cat', ['/proc/net/snmp']);
  const [names = [], counts = []] = output
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '));
  return Number(counts[names.indexOf('RcvbufErrors')] ?? NaN);
}
