// A device that runs until it is told to end: its folder, its socket, and where its relay is.

import { rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { LAN_PATH } from '../../core/model/relay-paths.ts';
import { DeviceFolder } from '../../adapters/node/store/device-folder.ts';
import type { LaneHost } from '../../core/lane-port.ts';
import type { Palm } from '../../runtime/api.ts';
import type { InviteOptions } from '../../runtime/invite-api.ts';
import { Tokens } from '../gateway/tokens.ts';
import type { DeviceLog } from '../operations/device-log.ts';
import { DeviceMetrics } from '../operations/device-metrics.ts';
import { DeviceWorks } from '../operations/device-works.ts';
import { ServedTraces } from '../operations/served-traces.ts';
import { openTracing } from '../operations/tracing.ts';
import { GatewaySwitch } from './gateway-switch.ts';
import { KnownCids } from './known-cids.ts';
import { openNodeDevice } from './compose.ts';
import { savedOrigin, SETTINGS_FILE, socketUrlOf } from './saved-relay.ts';
import { serveDevice } from './device-server.ts';
import { socketPath } from './socket-path.ts';
import { Spool } from './spool.ts';

const TOKENS_FILE = 'tokens.json';
const GATEWAY_FILE = 'gateway.json';
/** The relay is on this network or this machine: an answer takes moments, ms. */
const ANSWER_WITHIN_MS = 3_000;

/** Where a relay that runs in this process is. */
export interface OwnRelay {
  readonly relayUrl: string;
  readonly appUrl: () => string;
  readonly lane: LaneHost;
}

export interface RunningDevice {
  readonly palm: Palm;
  invite(options: InviteOptions): Promise<string>;
  /** Resolves when the device was told to end. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

/** @throws FolderError when the folder cannot be used, NoWebRtc. */
export async function runDevice(
  path: string,
  own: OwnRelay | undefined,
  log: DeviceLog,
): Promise<RunningDevice> {
  process.umask(0o077);
  const folder = await DeviceFolder.take(path);
  const spoolPath = folder.folder('spool');
  // What a process that was killed left.
  rmSync(spoolPath, { recursive: true, force: true });
  folder.folder('spool');
  const relay = new RelayAddress(folder, own);
  const tracing = await openTracing(process.env, log);
  const traces = new ServedTraces(tracing, log);
  let auditBytes = 0;
  const device = openNodeDevice(folder, {
    deviceName: hostname().replace(/\.local$/u, ''),
    relayUrl: () => relay.relayUrl,
    appUrl: () => relay.appUrl,
    laneHost: own?.lane,
    served: (served) => traces.add(served),
    audited: (bytes) => {
      auditBytes += bytes;
    },
    onBug: (error) => log.error({ err: error }, 'bug'),
  });
  const { palm } = device;
  await palm.ready;
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve());
  });
  const stop = (): void => stopping.abort();
  const invite = async (options: InviteOptions): Promise<string> => {
    await relay.look();
    // The one invite of an older pool takes no options.
    const url = await palm.invite(palm.status().pool?.invitesEnd === true ? options : undefined);
    return url + (await device.directAddress());
  };
  const useRelay = async (url: string | undefined): Promise<void> => relay.use(url);
  const tokens = new Tokens(folder.file(TOKENS_FILE));
  const metrics = new DeviceMetrics(palm, () => auditBytes);
  const cids = new KnownCids(palm);
  const works = new DeviceWorks(metrics, tracing, log);
  const served = { palm, tokens, metrics, works, cids, spool: new Spool(spoolPath) };
  const gateway = new GatewaySwitch({ ...served, log }, folder.file(GATEWAY_FILE));
  // The device is worth more than its gateway.
  await gateway.restore().catch((error: unknown) => log.error({ err: error }, 'gateway off'));
  const socket = socketPath(path);
  const server = await serveDevice({ ...served, invite, useRelay, gateway, stop }, socket);
  log.info({ pid: process.pid }, 'running');
  return {
    palm,
    invite,
    stopped,
    async close() {
      log.info('ending');
      await gateway.close();
      server.close();
      server.closeAllConnections();
      await device.close();
      traces.close();
      await tracing.close();
      if (process.platform !== 'win32') rmSync(socket, { force: true });
      folder.release();
    },
  };
}

/** Where the relay is: in this process, or where the folder's settings say. */
class RelayAddress {
  readonly #folder: DeviceFolder;
  readonly #own: OwnRelay | undefined;
  /** The relay's address for other devices, where its own is this machine's. */
  #lan: string | undefined;

  constructor(folder: DeviceFolder, own: OwnRelay | undefined) {
    this.#folder = folder;
    this.#own = own;
  }

  get relayUrl(): string {
    if (this.#own !== undefined) return this.#own.relayUrl;
    return socketUrlOf(this.#origin);
  }

  get appUrl(): string {
    return this.#own?.appUrl() ?? this.#lan ?? this.#origin;
  }

  use(url: string | undefined): void {
    if (url === undefined || this.#own !== undefined) return;
    const settings = JSON.stringify({ relay: new URL('/', url).href });
    writeFileSync(this.#folder.file(SETTINGS_FILE), `${settings}\n`, { mode: 0o600, flush: true });
    this.#lan = undefined;
  }

  /** A relay on this machine says where others find it. */
  async look(): Promise<void> {
    if (this.#own !== undefined) return;
    try {
      const response = await fetch(new URL(LAN_PATH, this.#origin), {
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const list: unknown = response.ok ? await response.json() : [];
      const first: unknown = Array.isArray(list) ? list[0] : undefined;
      this.#lan = typeof first === 'string' ? first : undefined;
    } catch {
      // Elsewhere, or not there: its own address is all that is known.
    }
  }

  get #origin(): string {
    return savedOrigin(this.#folder.file(SETTINGS_FILE));
  }
}
