// One relay: two ports, certificates, the app's files and the WebSockets, started and stopped together.

import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { machineAddresses } from './addresses.ts';
import { defaultDataDir, loadServerCertificate } from './certificate-store.ts';
import { listen, type PortChoice } from './listen.ts';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay-limits.ts';
import { RelaySockets } from './sockets.ts';
import { StartError } from './start-error.ts';
import { serveFiles } from './static-files.ts';
import { answerRequests } from './web.ts';

export const DEFAULT_HTTPS_PORT = 8443;
export const DEFAULT_HTTP_PORT = 8080;

export interface RelayOptions {
  /** The folder of the built app. */
  readonly appDir: string;
  /** https; 0 for any free port. Absent: DEFAULT_HTTPS_PORT, or the next free one. */
  readonly port?: number | undefined;
  /** http; as `port`, with DEFAULT_HTTP_PORT. */
  readonly httpPort?: number | undefined;
  /** The address to listen on. Absent: all of this machine's. */
  readonly host?: string | undefined;
  /** Where the certificates are kept. Absent: the user's data folder. */
  readonly dataDir?: string | undefined;
  /** Other limits than DEFAULT_RELAY_LIMITS. */
  readonly limits?: Partial<RelayLimits> | undefined;
  /** Told of what went wrong without ending the relay, in a sentence. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

export interface Relay {
  /** Where this machine opens the app. */
  readonly app: string;
  /** Where other devices do, the likeliest first; empty when the relay listens to this machine only. */
  readonly lan: readonly string[];
  readonly httpsPort: number;
  readonly httpPort: number;
  /** SHA-256 of the relay's certificate authority, as pairs of hex digits. */
  readonly authorityFingerprint: string;
  /** Tells the clients and stops; resolves when every socket is gone. May be called again. */
  close(): Promise<void>;
}

/** @throws StartError with what to do about it: a port is taken, a folder cannot be written, no app was built. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host } = options;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits };
  const machine = machineAddresses();
  const addresses = lanAddresses(host, machine.lan);
  const certificate = await loadServerCertificate(
    options.dataDir ?? defaultDataDir(),
    Date.now(),
    machine.names,
    addresses,
  );
  const content = {
    files: serveFiles(options.appDir),
    ownNames: machine.names,
    authority: certificate.authority,
    authorityFingerprint: certificate.authorityFingerprint,
    httpsPort: () => httpsPort,
    lan: () => addresses.map((address) => `https://${bracketed(address)}:${httpsPort}/`),
  };
  const secure = createHttpsServer(
    { key: certificate.key, cert: certificate.chain },
    answerRequests(content, true),
  );
  const plain = createHttpServer(answerRequests(content, false));
  const sockets = new RelaySockets(limits, machine.names);
  const stops: (() => Promise<void>)[] = [];
  const close = once(async () => {
    await sockets.close();
    await Promise.all(stops.map((stop) => stop()));
  });
  const open = async (server: Server, isSecure: boolean, choice: PortChoice): Promise<number> => {
    const port = await listen(server, choice, host);
    stops.push(watch(server, limits, options.onProblem));
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
  // On one address of the network alone, even this machine has to use that one.
  const isLocal = host === undefined || isWildcard(host) || isLoopback(host);
  const localhost = `http://localhost:${httpPort}/`;
  const app = isLocal ? localhost : (lan[0] ?? localhost);
  return { app, lan, httpsPort, httpPort, authorityFingerprint: certificate.authorityFingerprint, close };
}

/** Which addresses other devices reach the relay by when it listens on `host`. */
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

/**
 * Bounds a server's connections, and keeps its late errors (no more file handles, say) from ending the process.
 * Answers what stops it: no new connections, and every open one cut, half-made TLS ones too.
 */
function watch(
  server: Server,
  limits: RelayLimits,
  onProblem: RelayOptions['onProblem'],
): () => Promise<void> {
  const connections = new Set<Socket>();
  server.maxConnections = 2 * limits.clients;
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('error', (error) => onProblem?.(`The relay could not accept a connection: ${error.message}`));
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of connections) socket.destroy();
    });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
