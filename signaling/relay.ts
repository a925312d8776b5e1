// One relay: two ports, certificates, the app's files and the WebSockets, started and stopped together.

import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { machineAddresses } from './addresses.ts';
import { serveFiles } from './app-files.ts';
import { defaultDataDir, loadServerCertificate, type ServerCertificate } from './certificate-store.ts';
import { Connections, serverOptions } from './connections.ts';
import { type CertificateFiles, loadGivenCertificate } from './given-certificate.ts';
import { listen, type PortChoice } from './listen.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay-limits.ts';
import { RelaySockets } from './sockets.ts';
import { StartError } from './start-error.ts';
import { answerRequests } from './web.ts';

export const DEFAULT_HTTPS_PORT = 8443;
export const DEFAULT_HTTP_PORT = 8080;

export interface RelayOptions {
  /** The folder of the built app. */
  readonly appDir: string;
  /** https; 0 for any free port. Absent: DEFAULT_HTTPS_PORT, or the next free one. */
  readonly port?: number | undefined;
  /** http; like `port`, with DEFAULT_HTTP_PORT. */
  readonly httpPort?: number | undefined;
  /** The address to listen on. Absent: all addresses of this machine. */
  readonly host?: string | undefined;
  /** Where the certificates are kept. Absent: the user's data folder. */
  readonly dataDir?: string | undefined;
  /** A certificate to use instead of one from the relay's own authority. */
  readonly certificate?: CertificateFiles | undefined;
  /** Replaces DEFAULT_RELAY_LIMITS. */
  readonly limits?: Partial<RelayLimits> | undefined;
  /** Called with a sentence about each problem that did not end the relay. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

export interface Relay {
  /** The app's address on this machine. */
  readonly app: string;
  /** Its addresses for other devices, likeliest first; empty when the relay listens only to this machine. */
  readonly lan: readonly string[];
  readonly httpsPort: number;
  readonly httpPort: number;
  /** Addresses that the relay listens on but that its certificate does not cover. */
  readonly unvouched: readonly string[];
  /** The certificate's fingerprint, and the authority if it is the relay's own. */
  readonly certificate: Pick<ServerCertificate, 'certificateFingerprint' | 'authority'>;
  /** Tells the clients and stops; resolves when every socket is closed. Can be called more than once. */
  close(): Promise<void>;
}

/** @throws StartError with advice: a port is taken, a folder cannot be written, no app was built. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host } = options;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits };
  const machine = machineAddresses();
  const addresses = lanAddresses(host, machine.lan);
  const certificate =
    options.certificate === undefined
      ? await loadServerCertificate(options.dataDir ?? defaultDataDir(), Date.now(), machine.names, addresses)
      : await loadGivenCertificate(options.certificate, Date.now(), hostname());
  const ownNames = [...new Set([...machine.names, ...certificate.hosts.filter((name) => isIP(name) === 0)])];
  const lanHosts = vouchedHosts(certificate, machine.names, addresses);
  const content = {
    files: serveFiles(options.appDir),
    ownNames,
    certificate,
    httpsPort: () => httpsPort,
    lan: () => lanHosts.map((name) => `https://${bracketed(name)}:${httpsPort}/`),
  };
  const connections = new Connections(limits);
  const secure = createHttpsServer(
    {
      ...serverOptions(limits),
      key: certificate.key,
      cert: certificate.chain,
      handshakeTimeout: limits.handshakeMs,
    },
    answerRequests(content, connections, true),
  );
  const plain = createHttpServer(serverOptions(limits), answerRequests(content, connections, false));
  const sockets = new RelaySockets(limits, ownNames, connections);
  const stops: (() => Promise<void>)[] = [];
  const close = once(async () => {
    await sockets.close();
    const stopped = stops.map((stop) => stop());
    connections.close();
    await Promise.all(stopped);
  });
  const open = async (server: Server, isSecure: boolean, choice: PortChoice): Promise<number> => {
    const port = await listen(server, choice, host);
    // A later error (no more file handles, for example) must not end the process.
    server.on('error', (error) =>
      options.onProblem?.(`The relay could not accept a connection: ${error.message}`),
    );
    stops.push(() => new Promise((resolve) => server.close(() => resolve())));
    connections.watch(server, isSecure);
    sockets.attach(server, isSecure);
    return port;
  };
  let httpsPort = 0;
  let httpPort = 0;
  try {
    httpsPort = await open(secure, true, portChoice(options.port, DEFAULT_HTTPS_PORT, '--port'));
    httpPort = await open(plain, false, portChoice(options.httpPort, DEFAULT_HTTP_PORT, '--http-port'));
  } catch (error) {
    await close();
    throw error;
  }
  const lan = content.lan();
  // When the relay listens on one network address only, this machine must use it too.
  const isLocal = host === undefined || isWildcard(host) || isLoopback(host);
  const localhost = `http://localhost:${httpPort}/`;
  const app = isLocal ? localhost : (lan[0] ?? localhost);
  const unvouched = addresses.filter((address) => !certificate.hosts.includes(address));
  return { app, lan, httpsPort, httpPort, unvouched, certificate, close };
}

/**
 * The hosts that others may use and that the certificate covers: addresses, or names if it covers no address.
 */
function vouchedHosts(
  certificate: ServerCertificate,
  machineNames: readonly string[],
  addresses: readonly string[],
): readonly string[] {
  // A given certificate itself says what this machine is called.
  if (certificate.authority === undefined) return certificate.hosts.filter((host) => !isLoopback(host));
  const vouched = addresses.filter((address) => certificate.hosts.includes(address));
  if (vouched.length > 0 || addresses.length === 0) return vouched;
  return machineNames.filter((name) => name.endsWith('.local') && certificate.hosts.includes(name));
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

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

function portChoice(asked: number | undefined, standard: number, flag: string): PortChoice {
  return { port: asked ?? standard, isDefault: asked === undefined, flag };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
