// Serves WebTorrent's pages: its own browser build from an empty page's origin, and its tracker. Both come
// from bench/peers, a separate package that only this bench installs.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PEERS = new URL('../peers/', import.meta.url);

export interface TorrentServer {
  readonly pageUrl: string;
  readonly trackerUrl: string;
  /** The version of the WebTorrent that is served. */
  readonly version: string;
  close(): void;
}

export async function serveTorrents(): Promise<TorrentServer> {
  await installPeers();
  const script = await readFile(new URL('node_modules/webtorrent/dist/webtorrent.min.js', PEERS));
  const server = createServer((request, response) => {
    const isScript = request.url === '/webtorrent.min.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><title>WebTorrent</title><link rel="icon" href="data:,">',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tracker = await startTracker();
  return {
    pageUrl: `http://localhost:${portOf(server.address())}/`,
    trackerUrl: `ws://localhost:${portOf(tracker.ws.address())}`,
    version: versionIn(await readFile(new URL('node_modules/webtorrent/package.json', PEERS), 'utf8')),
    close() {
      server.closeAllConnections();
      server.close();
      // Not awaited: it keeps its connections until the pages are closed, which happens later.
      tracker.close();
    },
  };
}

/** No scripts: the tracker's dependencies would build a WebRTC stack for Node that is not used here. */
async function installPeers(): Promise<void> {
  if (existsSync(new URL('node_modules/webtorrent', PEERS))) return;
  console.log('Installing WebTorrent into bench/peers, once.');
  // npm is a shell script on Windows.
  const options = { cwd: fileURLToPath(PEERS), shell: process.platform === 'win32' };
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], options);
}

interface Tracker {
  readonly ws: { address(): AddressInfo | string | null };
  listen(port: number, host: string, onListening: () => void): void;
  close(): void;
}

async function startTracker(): Promise<Tracker> {
  // By path: a package that is not installed yet cannot be imported by name, and has no types.
  const module: unknown = await import(new URL('node_modules/bittorrent-tracker/server.js', PEERS).href);
  const { default: Server } = module as {
    default: new (options: Readonly<Record<'http' | 'udp' | 'ws', boolean>>) => Tracker;
  };
  const tracker = new Server({ http: false, udp: false, ws: true });
  await new Promise<void>((resolve) => tracker.listen(0, '127.0.0.1', resolve));
  return tracker;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('a server on TCP has a port');
  return address.port;
}

function versionIn(packageJson: string): string {
  const value: unknown = JSON.parse(packageJson);
  return typeof value === 'object' && value !== null && 'version' in value
    ? String(value.version)
    : 'unknown';
}
