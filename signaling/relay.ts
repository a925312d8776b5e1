// One relay: two ports, certificates, the app's files and the WebSockets, started and stopped together.

import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { type MachineAddresses, machineAddresses } from './addresses.ts';
import { serveFiles } from './app-files.ts';
import { defaultDataDir } from '../src/adapters/node/data-folder.ts';
import { keptLocalName, loadServerCertificate, type ServerCertificate } from './certificate-store.ts';
import { ChosenName } from './chosen-name.ts';
import { Connections, serverOptions } from './connections.ts';
import { type CertificateFiles, filesStamp, loadGivenCertificate } from './given-certificate.ts';
import { listen } from './listen.ts';
import { type Advertise, LocalName, type NameNetwork } from './local-name.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay-limits.ts';
import { type PortUse, RelayPorts } from './relay-ports.ts';
import { RelaySockets } from './sockets.ts';
import { StartError } from './start-error.ts';
import { findCoturn } from './turn/coturn.ts';
import { plainAddress } from './turn/stun-message.ts';
import { TurnService } from './turn/turn-service.ts';
import { answerRequests, type LaneAnswer } from './web.ts';
import { Whereabouts, WHEREABOUTS_CHECK_MS, type WhereaboutsSources } from './whereabouts.ts';

export interface RelayOptions {
  /** The folder of the built app. */
  readonly appDir: string;
  /** https; 0 for any free port. Absent: the one of the last time, or DEFAULT_HTTPS_PORT. */
  readonly port?: number | undefined;
  /** http; like `port`, with DEFAULT_HTTP_PORT. */
  readonly httpPort?: number | undefined;
  /** The address to listen on. Absent: all addresses of this machine. */
  readonly host?: string | undefined;
  /** Where the certificates and ports are kept. Absent: the user's data folder. */
  readonly dataDir?: string | undefined;
  /** A certificate to use instead of one from the relay's own authority. */
  readonly certificate?: CertificateFiles | undefined;
  /** Replaces DEFAULT_RELAY_LIMITS. */
  readonly limits?: Partial<RelayLimits> | undefined;
  /** Called with a sentence about each problem that did not end the relay. */
  readonly onProblem?: ((message: string) => void) | undefined;
  /** Called when the addresses for other devices, or the certificate, are others than before. */
  readonly onMoved?: ((relay: Relay) => void) | undefined;
  /** Whether it carries data of devices that do not reach each other, if coturn is there. Default: yes. */
  readonly turn?: boolean | undefined;
  /** Answers the lane of a device in this process. */
  readonly lane?: LaneAnswer | undefined;
  /**
   * What it is to be called from now on: a name in `.local`, or one that `certificate` is for. Absent: what
   * it was called last, or the name that follows from its authority.
   */
  readonly name?: string | undefined;
  /** Answers to the relay's own name on the network. Absent: nothing does, and nobody is sent there. */
  readonly advertise?: Advertise | undefined;
  /** Replaces what the system says of this machine, and its clock (wall ms). */
  readonly readMachine?: (() => MachineAddresses) | undefined;
  readonly nowMs?: (() => number) | undefined;
}

export interface Relay {
  /** The app's address on this machine. */
  readonly app: string;
  /** Its present addresses for other devices, likeliest first; empty while only this machine can reach it. */
  readonly lan: readonly string[];
  /** Its address by its own name, which stays while addresses change; undefined where it has none. */
  readonly named: string | undefined;
  /** Whether other devices may reach it as soon as this machine has a network. */
  readonly awaitsNetwork: boolean;
  readonly httpsPort: number;
  readonly httpPort: number;
  /** Whether devices that do not reach each other can link through it. */
  readonly hasTurn: boolean;
  /** Addresses that the relay listens on but that its certificate does not cover. */
  readonly unvouched: readonly string[];
  /** The present certificate's fingerprint, and the authority if it is the relay's own. */
  readonly certificate: Pick<ServerCertificate, 'certificateFingerprint' | 'authority'>;
  /** Reads this machine's addresses and clock again, as the relay does every few seconds by itself. */
  recheck(): Promise<void>;
  /** Tells the clients and stops; resolves when every socket is closed. Can be called more than once. */
  close(): Promise<void>;
}

/** @throws StartError with advice: a port is taken, a folder cannot be written, no app was built. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host, onProblem } = options;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits };
  const dataDir = options.dataDir ?? defaultDataDir();
  const local = new LocalName(options.advertise, onProblem);
  const chosen = await chosenName(options, dataDir);
  const whereabouts = await Whereabouts.read(sourcesOf(options, dataDir, chosen));
  const ownNames = () => [
    ...whereabouts.machine.names,
    ...whereabouts.certificate.hosts.filter((name) => isIP(name) === 0),
  ];
  const content = {
    files: serveFiles(options.appDir),
    lane: options.lane,
    ownNames,
    localName: () => local.name,
    signaling: (...request: Parameters<RelaySockets['answer']>) => sockets.answer(...request),
    certificate: () => whereabouts.certificate,
    httpsPort: () => httpsPort,
    lan: () => vouchedHosts(whereabouts).map((name) => `https://${bracketed(name)}:${httpsPort}/`),
  };
  const connections = new Connections(limits);
  const secure = createHttpsServer(
    {
      ...serverOptions(limits),
      ...secretsOf(whereabouts.certificate),
      handshakeTimeout: limits.handshakeMs,
    },
    answerRequests(content, connections, true),
  );
  const plain = createHttpServer(serverOptions(limits), answerRequests(content, connections, false));
  const turn = new TurnService({
    dataDir,
    program: options.turn === false ? undefined : findCoturn(),
    ownAddresses,
    onProblem: (message) => onProblem?.(message),
    nowMs: options.nowMs ?? Date.now,
  });
  const sockets = new RelaySockets(limits, ownNames, connections, turn);
  const stops: (() => Promise<void>)[] = [() => local.stop(), () => turn.close()];
  const close = once(async () => {
    await sockets.close();
    const stopped = stops.map((stop) => stop());
    connections.close();
    await Promise.all([...stopped, ports.saved()]);
  });
  const ports = await RelayPorts.load(dataDir, options, onProblem);
  const open = async (server: Server, use: PortUse): Promise<number> => {
    const port = await listen(server, ports.choice(use), host);
    // A later error (no more file handles, for example) must not end the process.
    server.on('error', (error) => onProblem?.(`The relay could not accept a connection: ${error.message}`));
    stops.push(() => new Promise((resolve) => server.close(() => resolve())));
    connections.watch(server, use === 'https');
    sockets.attach(server, use === 'https', () => ports.notePool(use));
    ports.note(use, port);
    return port;
  };
  let httpsPort = 0;
  let httpPort = 0;
  try {
    httpsPort = await open(secure, 'https');
    httpPort = await open(plain, 'http');
  } catch (error) {
    await close();
    throw error;
  }
  await turn.serve(whereabouts.machine.lan, httpsPort);
  const network: NameNetwork = {
    isThere: () => whereabouts.machine.lan.length > 0,
    renew: async () => {
      await whereabouts.check();
      secure.setSecureContext(secretsOf(whereabouts.certificate));
    },
  };
  try {
    // On this machine alone nobody needs a name.
    if (host === undefined || !isLoopback(host)) {
      const address = host === undefined || isWildcard(host) ? undefined : host;
      await local.answerAs(
        whereabouts.certificate.localName,
        chosen,
        { httpsPort, httpPort, address },
        network,
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  // When the relay listens on one network address only, this machine must use it too.
  const isLocal = host === undefined || isWildcard(host) || isLoopback(host);
  const localhost = `http://localhost:${httpPort}/`;
  const relay: Relay = {
    get app() {
      return isLocal ? localhost : (content.lan()[0] ?? localhost);
    },
    get lan() {
      return content.lan();
    },
    get named() {
      return local.name === undefined ? undefined : `https://${local.name}:${httpsPort}/`;
    },
    get awaitsNetwork() {
      return (host === undefined || isWildcard(host)) && whereabouts.machine.lan.length === 0;
    },
    httpsPort,
    httpPort,
    get hasTurn() {
      return turn.hasTurn;
    },
    get unvouched() {
      const { machine, certificate } = whereabouts;
      return machine.lan.filter((address) => !certificate.hosts.includes(address));
    },
    get certificate() {
      return whereabouts.certificate;
    },
    recheck: async () => {
      const before = { certificate: whereabouts.certificate, lan: relay.lan.join(' ') };
      await whereabouts.check();
      await turn.serve(whereabouts.machine.lan, httpsPort);
      const { certificate } = whereabouts;
      const isOther = certificate.chain !== before.certificate.chain;
      if (isOther) secure.setSecureContext(secretsOf(certificate));
      if (isOther || relay.lan.join(' ') !== before.lan) options.onMoved?.(relay);
    },
    close,
  };
  const timer = setInterval(recheckOrTell(relay, onProblem), WHEREABOUTS_CHECK_MS).unref();
  stops.push(async () => clearInterval(timer));
  return relay;
}

/** A given certificate itself says what the relay is called. */
async function chosenName(
  { certificate, name }: RelayOptions,
  dataDir: string,
): Promise<ChosenName | undefined> {
  if (certificate !== undefined) return undefined;
  return ChosenName.load(dataDir, name, await keptLocalName(dataDir));
}

function sourcesOf(
  options: RelayOptions,
  dataDir: string,
  chosen: ChosenName | undefined,
): WhereaboutsSources {
  const { host, certificate, nowMs = Date.now, readMachine = machineAddresses } = options;
  return {
    nowMs,
    readMachine: () => {
      const machine = readMachine();
      return { names: machine.names, lan: lanAddresses(host, machine.lan) };
    },
    loadCertificate: ({ names, lan }) =>
      certificate === undefined
        ? loadServerCertificate(
            dataDir,
            nowMs(),
            names,
            lan,
            chosen === undefined ? [] : [chosen.name, ...chosen.before],
          )
        : loadGivenCertificate(certificate, nowMs(), hostname(), options.name),
    readStamp: async () => (certificate === undefined ? (chosen?.name ?? '') : filesStamp(certificate)),
  };
}

function secretsOf({ key, chain }: ServerCertificate): { readonly key: string; readonly cert: string } {
  return { key, cert: chain };
}

/** One check at a time; a problem is told once, until another takes its place or a check succeeds. */
function recheckOrTell(relay: Relay, onProblem: ((message: string) => void) | undefined): () => void {
  let isChecking = false;
  let told = '';
  return () => {
    if (isChecking) return;
    isChecking = true;
    relay
      .recheck()
      .then(
        () => (told = ''),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          if (message !== told) onProblem?.(`The relay keeps its present certificate. ${message}`);
          told = message;
        },
      )
      .finally(() => (isChecking = false));
  };
}

/**
 * The hosts that others may use and that the certificate covers: addresses, or names if it covers no address.
 */
function vouchedHosts({ certificate, machine }: Whereabouts): readonly string[] {
  // A given certificate itself says what this machine is called.
  if (certificate.authority === undefined) return certificate.hosts.filter((host) => !isLoopback(host));
  const vouched = machine.lan.filter((address) => certificate.hosts.includes(address));
  if (vouched.length > 0 || machine.lan.length === 0) return vouched;
  return machine.names.filter((name) => name.endsWith('.local') && certificate.hosts.includes(name));
}

/** The addresses at which other devices reach the relay when it listens on `host`. */
function lanAddresses(host: string | undefined, machineAddressList: readonly string[]): readonly string[] {
  if (host === undefined || isWildcard(host)) return machineAddressList;
  if (isLoopback(host)) return [];
  if (isIP(host) === 0) {
    throw new StartError(`--host takes an address of this machine, not a name; ${host} is not an address.`);
  }
  return [host];
}

/** All of this machine. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => plainAddress(address)),
  );
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
