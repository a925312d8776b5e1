// A proxy between page and relay, as in companies, that lets through what a test says.

import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export type Mode =
  | 'honest'
  /** Refuses WebSockets. */
  | 'no-sockets'
  /** Refuses also what takes their place. */
  | 'no-upgrades'
  | 'other-address'
  | 'other-name'
  | 'no-relay'
  | 'signs-in'
  | 'mute';

/** Modes in which a WebSocket is refused at once. */
const REFUSING: ReadonlySet<Mode> = new Set(['no-sockets', 'no-upgrades', 'no-relay', 'signs-in']);

interface Proxy {
  readonly url: string;
  /** Ends every connection through it. */
  become(mode: Mode): void;
  /** How many WebSockets were passed on. */
  openedSockets(): number;
  close(): Promise<void>;
}

/** Passes requests on to `relay`, or does not. */
export async function startProxy(relay: URL): Promise<Proxy> {
  let mode: Mode = 'honest';
  const sockets = new Set<Socket>();
  const hostFor = ({ headers }: IncomingMessage): string => {
    if (mode === 'other-address') return relay.host;
    return mode === 'other-name' ? 'palm.example' : (headers.host ?? '');
  };
  let openedCount = 0;
  const server = createServer((incoming, answer) => {
    if (mode === 'mute') return;
    if (mode === 'no-upgrades' && incoming.url?.startsWith('/relay/') === true) {
      answer.destroy();
      return;
    }
    if (mode === 'no-relay') answer.writeHead(502).end('Bad gateway');
    else if (mode === 'signs-in') answer.writeHead(302, { Location: '/sign-in' }).end();
    else {
      const headers = { ...incoming.headers, host: hostFor(incoming) };
      const { hostname, port } = relay;
      const passed = request(
        { hostname, port, path: incoming.url, method: incoming.method, headers },
        (back) => {
          answer.writeHead(back.statusCode ?? 500, back.headers);
          back.pipe(answer);
        },
      );
      passed.on('error', () => answer.destroy());
      incoming.pipe(passed);
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (incoming, socket: Socket, head) => {
    socket.on('error', () => socket.destroy());
    if (REFUSING.has(mode)) socket.destroy();
    if (socket.destroyed || mode === 'mute') return;
    openedCount += 1;
    const passed = connect(Number(relay.port), relay.hostname, () => {
      const headers = Object.entries({ ...incoming.headers, host: hostFor(incoming) });
      const lines = [
        `GET ${incoming.url} HTTP/1.1`,
        ...headers.map(([name, value]) => `${name}: ${String(value)}`),
      ];
      passed.write(`${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    passed.on('error', () => socket.destroy());
    socket.on('close', () => passed.destroy());
  });
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    url: `http://localhost:${portOf(server)}/`,
    become(next) {
      mode = next;
      endAll();
    },
    openedSockets: () => openedCount,
    async close() {
      endAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return isPort(address) ? address.port : 0;
}

function isPort(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
