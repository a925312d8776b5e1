// What the connection doctor tries on a Node device. As the device itself does, it does not ask who vouches
// for the relay (docs/decisions/0077-what-a-node-device-asks-of-the-relay.md).

import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { addressKindOf } from '../../../core/doctor/address-kind.ts';
import type {
  ClockSeen,
  DoctorProbes,
  NameSeen,
  PlatformKind,
  RelaySeen,
  SocketSeen,
  StorageSeen,
} from '../../../core/doctor/facts.ts';
import { REACHED_PATH } from '../../../core/model/relay-paths.ts';
import {
  decodeRelayFrame,
  encodeClientFrame,
  FIRST_RELAY_CODE,
  RELAY_SUBPROTOCOL,
} from '../../../core/wire/relay-protocol.ts';
import { relayClock } from '../../portable/doctor/relay-clock.ts';
import { gatherCandidates, tryLoopback } from '../../portable/doctor/webrtc-probes.ts';
import { loadWebRtc } from '../node-webrtc.ts';
import { NodeRelaySocket } from '../relay-socket.ts';

/** The relay's answer is shorter than this, bytes. */
const MAX_ANSWER_BYTES = 4_000;
/** HTTP: the relay was asked for by a name that is none of its own. */
const MISDIRECTED = 421;
/** How interfaces of VPNs are named; a number follows. */
const VPN_INTERFACE = /^(?<name>tun|tap|wg|ppp|utun|ipsec|zt|tailscale|nordlynx|proton)[\w-]*$/u;
/** Systems keep interfaces of such names with no more than an address of this kind. */
const LINK_LOCAL = /^(?:fe80:|169\.254\.)/u;

export interface NodeProbed {
  /** Where the relay listens: ws: or wss:, with the path. */
  readonly relayUrl: string;
  /** The device's folder, which need not be there yet. */
  readonly folder: string;
}

export function nodeProbes({ relayUrl, folder }: NodeProbed): DoctorProbes {
  const url = new URL(relayUrl);
  const address = addressKindOf(url.hostname);
  return {
    surroundings: () => ({
      host: 'node',
      platform: platformOf(process.platform),
      program: ['Node', process.versions.node.split('.')[0]].join(' '),
      isSecure: true,
      isEncrypted: url.protocol === 'wss:',
      address,
    }),
    relay: (signal) => askRelay(url, signal),
    socket: (signal) => trySocket(relayUrl, signal),
    ...(address === 'local-name' ? { name: () => tryName(url.hostname) } : {}),
    candidates: async (signal) => gatherCandidates(signal, await loadWebRtc()),
    loopback: async (signal) => tryLoopback(signal, await loadWebRtc()),
    storage: () => tryFolder(folder),
    relayClock: (signal) => readClock(url, signal),
    vpnInterfaces: async () => vpnInterfacesAmong(networkInterfaces()),
  };
}

/** Names of those that are up, without their numbers, once each. */
export function vpnInterfacesAmong(
  interfaces: Readonly<Record<string, readonly { readonly address: string }[] | undefined>>,
): string[] {
  const names = Object.entries(interfaces).flatMap(([full, addresses = []]) => {
    const name = VPN_INTERFACE.exec(full)?.groups?.['name'];
    const isUp = addresses.some(({ address }) => !LINK_LOCAL.test(address));
    return name === undefined || !isUp ? [] : [name];
  });
  return [...new Set(names)];
}

function platformOf(platform: NodeJS.Platform): PlatformKind {
  switch (platform) {
    case 'win32':
      return 'windows';
    case 'darwin':
      return 'macos';
    case 'linux':
    case 'android':
      return platform;
    default:
      return 'other';
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly date: string | undefined;
}

/** @throws the system's error. */
function ask(relay: URL, signal: AbortSignal): Promise<Answer> {
  const url = new URL(REACHED_PATH, relay);
  url.protocol = relay.protocol === 'wss:' ? 'https:' : 'http:';
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { Accept: 'application/json' };
    const asking = request(url, { headers, signal, agent: false, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER_BYTES) response.destroy();
      });
      response.on('error', reject);
      response.on('close', () =>
        resolve({ status: response.statusCode ?? 0, text, date: response.headers.date }),
      );
    });
    asking.on('error', reject);
    asking.end();
  });
}

async function askRelay(relay: URL, signal: AbortSignal): Promise<RelaySeen> {
  let answer: Answer;
  try {
    answer = await ask(relay, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ECONNREFUSED') return { kind: 'refused' };
    // Something speaks there, and not as a relay does.
    if (code === 'EPROTO' || code === 'ECONNRESET' || String(code).startsWith('HPE_'))
      return { kind: 'not-palm', status: 0 };
    return isOnline() ? { kind: 'no-answer' } : { kind: 'offline' };
  }
  if (answer.status === MISDIRECTED) return { kind: 'other-host', seen: undefined };
  if (answer.status === 200 && isRelays(answer.text)) return { kind: 'passed' };
  return { kind: 'not-palm', status: answer.status };
}

function isRelays(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && 'origin' in answer;
  } catch {
    return false;
  }
}

function isOnline(): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ internal }) => !internal),
  );
}

function trySocket(relayUrl: string, signal: AbortSignal): Promise<SocketSeen> {
  const socket = new NodeRelaySocket(relayUrl, [RELAY_SUBPROTOCOL]);
  socket.binaryType = 'arraybuffer';
  const outcome = new Promise<SocketSeen>((resolve) => {
    signal.addEventListener('abort', () => resolve('refused'));
    socket.on('error', () => resolve('refused'));
    socket.on('close', (code) => resolve(code >= FIRST_RELAY_CODE ? 'closed' : 'refused'));
    socket.on('open', () => socket.send(encodeClientFrame({ kind: 'ping' })));
    socket.on('message', (data) => resolve(isPong(data) ? 'pong' : 'refused'));
  });
  return outcome.finally(() => socket.terminate());
}

function isPong(data: unknown): boolean {
  if (!(data instanceof ArrayBuffer)) return false;
  try {
    return decodeRelayFrame(new Uint8Array(data)).kind === 'pong';
  } catch {
    return false; // whoever that is, it is no relay
  }
}

async function tryName(hostname: string): Promise<NameSeen> {
  try {
    await lookup(hostname);
    return 'answers';
  } catch {
    return 'silent';
  }
}

/** Writes a small file where the device writes, reads it again, and removes it. */
async function tryFolder(folder: string): Promise<StorageSeen> {
  const path = nearest(folder);
  const { bsize, bavail } = await statfs(path);
  // 0 would say that it is not known.
  const quotaBytes = Math.max(1, bsize * bavail);
  return { isKept: true, usedBytes: 0, quotaBytes, filesWork: canWrite(path) };
}

/** The folder, or what it will be made in. */
function nearest(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}

function canWrite(folder: string): boolean {
  const bytes = randomBytes(64);
  const path = join(folder, `palm-doctor-${bytes.toString('hex', 0, 8)}`);
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600, flush: true });
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  } finally {
    try {
      rmSync(path, { force: true });
    } catch {
      // Where nothing can be written, nothing is there to be removed.
    }
  }
}

async function readClock(relay: URL, signal: AbortSignal): Promise<ClockSeen> {
  const askedAtMs = Date.now();
  const { date } = await ask(relay, signal);
  const clock = relayClock(date, askedAtMs, Date.now());
  if (clock === undefined) throw new TypeError('an answer without a date');
  return clock;
}
