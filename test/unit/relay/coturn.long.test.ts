// The TURN server itself, where it is installed: what it keeps open, and that it ends.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Coturn, findCoturn } from '../../../signaling/turn/coturn.ts';
import { temporaryFolder } from '../../fixtures/relay-fixture.ts';

const program = findCoturn();
const reason =
  program === undefined
    ? 'there is no TURN server (apt install coturn)'
    : process.platform === 'linux'
      ? undefined
      : 'what a process has open is in /proc on Linux only';

test.skipIf(reason !== undefined)(
  `it writes no log${reason === undefined ? '' : `: not run, ${reason}`}`,
  async () => {
    const folder = temporaryFolder();
    const server = await Coturn.start(program ?? '', folder, {
      relayAddresses: ['127.0.0.1'],
      ownAddresses: ['127.0.0.1'],
      secret: '5e'.repeat(32),
    });
    const pidFile = join(folder, 'turnserver.pid');
    await expect.poll(() => read(pidFile), { timeout: 20_000 }).toMatch(/^\d+/);
    // It writes this one once its log is open.
    const pid = Number(read(pidFile));
    const elsewhere = openFiles(pid).filter((path) => path.startsWith('/') && !path.startsWith(folder));
    expect([...new Set(elsewhere)]).toEqual(['/dev/null']);
    await server.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  },
);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not yet
  }
}

/** Paths, and names of what is no file. */
function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return []; // closed since
    }
  });
}
