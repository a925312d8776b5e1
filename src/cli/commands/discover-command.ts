// `palm discover`: relays that say on this network, by mDNS (RFC 6762, RFC 6763), that they are there.
// Anybody on the network may say so: what comes is bounded and checked, and each relay is asked whether it
// answers.

import { request } from 'node:https';
import { isIP } from 'node:net';
import type { Browser, Service } from 'bonjour-service';
import { isLocalName, SERVICE_TYPE } from '../../core/model/relay-name.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson, printTable } from '../output.ts';
import { words } from '../words.ts';
import type { CommonFlags, Context } from './context.ts';

/** Relays answer within a second; some wait up to half a second first (RFC 6762, section 6). */
const LISTEN_MS = 2_500;
const ANSWERS_WITHIN_MS = 2_000;
/** More than any household has; of strangers' answers no more are kept. */
const MAX_RELAYS = 64;
const MAX_ADDRESSES = 8;

export interface FoundRelay {
  readonly name: string;
  /** What a browser opens. */
  readonly url: string;
  /** For devices that do not know names by mDNS. */
  readonly addresses: readonly string[];
}

type Told = Pick<Service, 'host' | 'port' | 'addresses'>;

export async function discover(context: Context, flags: CommonFlags): Promise<void> {
  const seconds = flags['wait'];
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0 && seconds <= 60))
    throw new CommandError(words.badWait, EXIT.usage);
  const found = relaysOf(await browse(seconds === undefined ? LISTEN_MS : seconds * 1_000, context.signal));
  const relays = await Promise.all(
    found.map(async (relay) => ({ ...relay, answers: await doesAnswer(relay, context.signal) })),
  );
  if (context.isJson) printJson(relays);
  else if (relays.length === 0) print(words.noRelays);
  else
    printTable(
      relays.map(({ url, addresses, answers }) => [url, addresses.join(' '), words.relayAnswers(answers)]),
    );
}

/** Of what was told, the relays: by their names, each once. */
export function relaysOf(told: readonly Told[]): FoundRelay[] {
  const relays = new Map<string, FoundRelay>();
  for (const { host, port, addresses = [] } of told) {
    const name = host.replace(/\.$/u, '').toLowerCase();
    if (!isLocalName(name) || !Number.isInteger(port) || port < 1 || port > 65_535) continue;
    if (relays.size >= MAX_RELAYS && !relays.has(name)) continue;
    const before = relays.get(name)?.addresses ?? [];
    const all = [...new Set([...before, ...addresses.filter((address) => isIP(address) !== 0)])];
    const url = `https://${name}${port === 443 ? '' : `:${port}`}/`;
    relays.set(name, { name, url, addresses: all.slice(0, MAX_ADDRESSES) });
  }
  return [...relays.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Asks, and listens for a while, or until `isEnough`. @throws CommandError where the network cannot be used.
 */
export async function browse(
  listenMs: number,
  signal: AbortSignal,
  isEnough: (told: readonly Told[]) => boolean = () => false,
): Promise<readonly Told[]> {
  // Only this command needs it.
  const { default: Bonjour } = await import('bonjour-service');
  const bonjour: { browser?: Browser; end: () => void } = { end: () => undefined };
  const failure = await new Promise<Error | undefined>((resolve) => {
    const asking = new Bonjour({}, resolve);
    const browser = asking.find({ type: SERVICE_TYPE });
    bonjour.browser = browser;
    browser.on('up', () => {
      if (isEnough(browser.services)) resolve(undefined);
    });
    const timer = setTimeout(resolve, listenMs, undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    bonjour.end = () => {
      clearTimeout(timer);
      asking.destroy();
    };
  });
  const told = [...(bonjour.browser?.services ?? [])];
  bonjour.end();
  if (failure !== undefined && told.length === 0)
    throw new CommandError(words.noMulticast(failure.message), EXIT.noDevice, 'no-network');
  return told;
}

/** Whoever answers says only `palm`: nothing secret is sent, so nobody need vouch for its certificate. */
async function doesAnswer({ url, addresses }: FoundRelay, signal: AbortSignal): Promise<boolean> {
  const { port, hostname } = new URL(url);
  const answers = addresses.map((address) => pings(address, Number(port) || 443, hostname, signal));
  return (await Promise.all(answers)).includes(true);
}

function pings(host: string, port: number, servername: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request(
      {
        host,
        port,
        servername,
        path: '/ping',
        rejectUnauthorized: false,
        signal,
        timeout: ANSWERS_WITHIN_MS,
      },
      (response) => {
        resolve(response.statusCode === 200);
        response.destroy();
      },
    );
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(false));
    asking.end();
  });
}
