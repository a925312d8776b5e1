// The TURN server: coturn, where it is installed, as a child of the relay, with a configuration that is
// written anew at each start. It listens on loopback only, and clients reach it through the relay's own UDP
// ports (turn-ports.ts).
//
// Invariants: only numbers, addresses and a random secret get into the configuration, which only this user
// can read; nothing about clients is logged; the child ends with the relay, however that ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { delimiter, join } from 'node:path';
import { NEVER_REACHED, USERNAME_SEPARATOR } from './turn-rights.ts';

export const TURN_PROGRAM = 'turnserver';
/** Where packages put it; /usr/sbin is not in everybody's path. */
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin'];
const CONFIGURATION = 'turnserver.conf';
const OWNER_ONLY = { file: 0o600, folder: 0o700 };
/** UDP ports at which it receives what peers send, one for each allocation. */
const FIRST_RELAYED_PORT = 49_160;
const LAST_RELAYED_PORT = 49_671;
/** A device has one allocation for each link that is being made, and for each that goes through the relay. */
const USER_ALLOCATIONS = 64;
/**
 * What one link may take in each direction, bytes a second. There is no `bps-capacity` for all together:
 * coturn reserves as much for each allocation, used or not (turn-ports.ts).
 */
const LINK_BYTES_PER_SECOND = 8_000_000;
/** Nonces are renewed this often, s. */
const NONCE_S = 600;

/**
 * Runs it, and ends it when the relay's end of stdin closes: a killed relay closes it too. Between the two
 * nobody would end it. One that hangs gets two seconds.
 */
const GUARD =
  'exec 3<&0; "$1" -c "$2" <&- & turn=$!; (read -r _ <&3; kill "$turn"; sleep 2; kill -9 "$turn") & wait "$turn"; kill $!';

export interface CoturnConfiguration {
  /** On loopback. */
  readonly port: number;
  /** Of this machine, where it receives for its clients. */
  readonly relayAddresses: readonly string[];
  /** All of this machine: none of its services can be reached. */
  readonly ownAddresses: readonly string[];
  /** Hexadecimal. */
  readonly secret: string;
}

/** The path of coturn's program; undefined where it is not installed. */
export function findCoturn(path = process.env['PATH'] ?? ''): string | undefined {
  const folders = [...path.split(delimiter), ...FOLDERS].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, TURN_PROGRAM)).find(isProgram);
}

/** @throws Error for anything that is not what it should be: nothing can slip into another line. */
export function coturnConfiguration(configuration: CoturnConfiguration): string {
  const { port, relayAddresses, ownAddresses, secret } = configuration;
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new Error('the secret is 32 bytes, in hexadecimal');
  const all = [...relayAddresses, ...ownAddresses];
  const wrong = all.find((address) => isIP(address) === 0 || address.includes('%'));
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is no address`);
  return [
    'listening-ip=127.0.0.1',
    `listening-port=${port}`,
    ...relayAddresses.map((address) => `relay-ip=${address}`),
    `min-port=${FIRST_RELAYED_PORT}`,
    `max-port=${LAST_RELAYED_PORT}`,
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    `rest-api-separator=${USERNAME_SEPARATOR}`,
    // A name is needed, and says nothing.
    'realm=palm',
    `stale-nonce=${NONCE_S}`,
    `user-quota=${USER_ALLOCATIONS}`,
    `total-quota=${LAST_RELAYED_PORT - FIRST_RELAYED_PORT + 1}`,
    `max-bps=${LINK_BYTES_PER_SECOND}`,
    'no-tcp',
    'no-tls',
    'no-dtls',
    'no-tcp-relay',
    'no-cli',
    'no-rfc5780',
    'no-software-attribute',
    'no-dynamic-realms',
    'no-dynamic-ip-list',
    'no-auth-pings',
    'no-multicast-peers',
    ...[...NEVER_REACHED, ...ownAddresses].map((range) => `denied-peer-ip=${range}`),
    // In the folder that it runs in.
    'userdb=turnserver.db',
    'pidfile=turnserver.pid',
    // It adds the date to the name of a log, and then writes usernames and addresses to where it may, unless
    // the log is simple.
    'simple-log',
    'no-stdout-log',
    'log-file=/dev/null',
    '',
  ].join('\n');
}

/** One run of it. */
export class Coturn {
  readonly #child: ChildProcess;
  /** On loopback. */
  readonly port: number;
  /** Resolves when it ended, for whatever reason. */
  readonly ended: Promise<void>;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
  }

  /** `folder` is made if it is not there. @throws Error when it cannot be written. */
  static async start(
    program: string,
    folder: string,
    configuration: Omit<CoturnConfiguration, 'port'>,
  ): Promise<Coturn> {
    const port = await freePort();
    const file = join(folder, CONFIGURATION);
    await mkdir(folder, { recursive: true, mode: OWNER_ONLY.folder });
    await writeFile(file, '', { mode: OWNER_ONLY.file });
    // The mode above is for new files only.
    await chmod(file, OWNER_ONLY.file);
    await writeFile(file, coturnConfiguration({ ...configuration, port }));
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', program, file], {
      cwd: folder,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    // `close` follows.
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    return new Coturn(child, port);
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended;
  }
}

/** A UDP port on loopback that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
