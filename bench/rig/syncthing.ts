// Two Syncthings on this machine that share a folder, as Debian packages it (`apt install syncthing`), with
// nothing but a TCP connection between them: no announcements, relays, upgrades or reports.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const FOLDER = 'bench';
const API_KEY = 'bench';
/** Between two looks whether all is there: it costs little, and a file takes longer. */
const LOOK_EVERY_MS = 10;
const PIECE_BYTES = 4 * 2 ** 20;

/** The version's line; undefined when it is not installed. */
export function syncthingVersion(): string | undefined {
  const { status, stdout } = spawnSync('syncthing', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /v[\d.]+/.exec(stdout)?.[0] : undefined;
}

export interface SyncthingPair {
  /**
   * ms from telling the one to look for new files until the other has all of them. Files are written before,
   * and removed at both afterwards.
   */
  move(fileCount: number, fileBytes: number): Promise<number>;
  stop(): Promise<void>;
}

interface Side {
  readonly home: string;
  readonly folder: string;
  readonly id: string;
  readonly port: number;
  readonly apiPort: number;
}

export async function startSyncthingPair(): Promise<SyncthingPair> {
  const root = await mkdtemp(join(tmpdir(), 'palm-syncthing-'));
  const sides = [await prepare(root, 'one'), await prepare(root, 'other')] as const;
  const [one, other] = sides;
  const programs = await Promise.all(sides.map((side) => start(side, sides)));
  await until(async () => {
    const { connections } = await api<{ connections: Record<string, { connected: boolean }> }>(
      one,
      'system/connections',
    );
    return connections[other.id]?.connected === true;
  });
  const settled = (fileCount: number): Promise<void> =>
    until(async () => {
      const found = await api<{ globalFiles: number; needTotalItems: number; localFiles: number }>(
        other,
        `db/status?folder=${FOLDER}`,
      );
      const isWhole = found.globalFiles === fileCount && found.localFiles === fileCount;
      return isWhole && found.needTotalItems === 0;
    });
  const scan = (): Promise<unknown> => api(one, `db/scan?folder=${FOLDER}`, 'POST');
  let round = 0;
  return {
    async move(fileCount, fileBytes) {
      round += 1;
      const names = Array.from({ length: fileCount }, (_, at) => join(one.folder, `${round} ${at}`));
      for (const name of names) await writeRandom(name, fileBytes);
      const startMs = performance.now();
      await scan();
      await settled(fileCount);
      const elapsedMs = performance.now() - startMs;
      for (const name of names) await rm(name);
      await scan();
      await settled(0);
      return elapsedMs;
    },
    async stop() {
      for (const program of programs) {
        program.kill('SIGTERM');
        await once(program, 'exit');
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function prepare(root: string, name: string): Promise<Side> {
  const home = join(root, name);
  const folder = join(root, `${name} folder`);
  // What tells Syncthing that the disk with the folder is there.
  await mkdir(join(folder, '.stfolder'), { recursive: true });
  execFileSync('syncthing', ['generate', '--home', home, '--no-default-folder'], { stdio: 'ignore' });
  const id = execFileSync('syncthing', ['--home', home, '--device-id'], { encoding: 'utf8' }).trim();
  return { home, folder, id, port: await freePort(), apiPort: await freePort() };
}

async function start(side: Side, all: readonly Side[]): Promise<ChildProcess> {
  const devices = all
    .map(
      ({ id, port }) => `<device id="${id}" name="${id}"><address>tcp://127.0.0.1:${port}</address></device>`,
    )
    .join('');
  const sharing = all.map(({ id }) => `<device id="${id}"></device>`).join('');
  await writeFile(
    join(side.home, 'config.xml'),
    `<configuration version="36">
      <folder id="${FOLDER}" path="${side.folder}" rescanIntervalS="3600" fsWatcherEnabled="false">${sharing}</folder>
      ${devices}
      <gui enabled="true" tls="false"><address>127.0.0.1:${side.apiPort}</address><apikey>${API_KEY}</apikey></gui>
      <options>
        <listenAddress>tcp://127.0.0.1:${side.port}</listenAddress>
        <globalAnnounceEnabled>false</globalAnnounceEnabled>
        <localAnnounceEnabled>false</localAnnounceEnabled>
        <relaysEnabled>false</relaysEnabled>
        <natEnabled>false</natEnabled>
        <crashReportingEnabled>false</crashReportingEnabled>
        <urAccepted>-1</urAccepted>
        <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
      </options>
    </configuration>`,
  );
  const flags = ['--home', side.home, '--no-browser', '--no-restart', '--no-upgrade'];
  return spawn('syncthing', flags, { stdio: 'ignore' });
}

async function api<Answer>(side: Side, path: string, method = 'GET'): Promise<Answer> {
  const url = `http://127.0.0.1:${side.apiPort}/rest/${path}`;
  const response = await fetch(url, { method, headers: { 'X-API-Key': API_KEY } });
  if (!response.ok) throw new Error(`Syncthing answers ${response.status} to ${path}`);
  return JSON.parse((await response.text()) || 'null');
}

/** It is asked before it listens, too. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    if (await holds().catch(() => false)) return;
    await pause(LOOK_EVERY_MS);
  }
}

async function writeRandom(name: string, byteCount: number): Promise<void> {
  const pieces = Array.from({ length: Math.ceil(byteCount / PIECE_BYTES) }, (_, at) =>
    randomBytes(Math.min(PIECE_BYTES, byteCount - at * PIECE_BYTES)),
  );
  await writeFile(name, pieces);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('it has a port');
  return address.port;
}
