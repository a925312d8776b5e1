// What the relay does for devices that do not find a way to each other: it tells them their address (STUN),
// and carries what they encrypted for each other, where a TURN server is installed.
//
// Invariants: only clients in a room hear of it, each with a credential of its own; none is logged. Clients
// on this machine need neither, and get nothing.

import { join } from 'node:path';
import type { PoolId } from '../../src/core/model/ids.ts';
import type { ConnectionId, IceOffer } from '../../src/core/wire/relay-protocol.ts';
import { Coturn } from './coturn.ts';
import { plainAddress } from './stun-message.ts';
import { TurnPorts } from './turn-ports.ts';
import { CREDENTIAL_LIFE_MS, TurnRights } from './turn-rights.ts';

const FOLDER = 'turn';
/**
 * After it ended by itself: the first wait until it is started again, ms. It doubles up to the longest; one
 * that ran for as long as that begins with the first again.
 */
const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 60_000;

export interface TurnServiceOptions {
  readonly dataDir: string;
  /** The TURN server; undefined where there is none, or it is not wanted. */
  readonly program: string | undefined;
  /** All addresses of this machine. */
  readonly ownAddresses: () => readonly string[];
  readonly onProblem: (message: string) => void;
  /** Wall time, ms. */
  readonly nowMs: () => number;
}

interface Member {
  readonly id: ConnectionId;
  readonly address: string;
  readonly room: PoolId;
  readonly tell: (frame: IceOffer) => void;
}

export class TurnService {
  readonly #options: TurnServiceOptions;
  readonly #rights: TurnRights;
  readonly #ports: TurnPorts;
  readonly #members = new Map<ConnectionId, Member>();
  readonly #renewals: NodeJS.Timeout;
  #server: Coturn | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = FIRST_RESTART_MS;
  #startedAtMs = 0;
  #isClosed = false;
  /** One change of addresses at a time. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: TurnServiceOptions) {
    this.#options = options;
    this.#rights = new TurnRights(() => performance.now(), options.ownAddresses);
    this.#ports = new TurnPorts(this.#rights, options.onProblem);
    this.#renewals = setInterval(() => this.#tellAll(), CREDENTIAL_LIFE_MS / 2).unref();
  }

  /** Whether the TURN server runs. */
  get hasTurn(): boolean {
    return this.#ports.serverPort !== undefined;
  }

  /** The UDP port; 0 while it listens nowhere. */
  get port(): number {
    return this.#ports.port;
  }

  /** Serves these addresses of this machine from now on; at `port`, if that is free. */
  serve(addresses: readonly string[], port: number): Promise<void> {
    const plain = addresses.map(plainAddress).filter((address) => address !== '');
    this.#work = this.#work.then(() => this.#serve(plain, port));
    return this.#work;
  }

  /**
   * A client is in `room`. `remoteAddress`: where its connection comes from. `tell` is called now and again
   * until `left`.
   */
  entered(
    id: ConnectionId,
    remoteAddress: string | undefined,
    room: PoolId,
    tell: (frame: IceOffer) => void,
  ): void {
    const address = plainAddress(remoteAddress ?? '');
    // On this machine, it has no need.
    if (address === '' || this.#options.ownAddresses().includes(address)) return;
    const member: Member = { id, address, room, tell };
    this.#members.set(id, member);
    this.#rights.entered(address, room);
    this.#tell(member);
  }

  /** It is no longer. */
  left(id: ConnectionId): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    this.#rights.left(member.address, member.room);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#renewals);
    clearTimeout(this.#restart);
    await this.#work;
    this.#ports.close();
    await this.#stopServer();
  }

  async #serve(addresses: readonly string[], port: number): Promise<void> {
    const before = this.#ports.addresses.join(' ');
    if (this.#isClosed) return;
    await this.#ports.listen(addresses, port);
    // What could not be opened is tried again the next time, and nothing else changes until then.
    if (this.#ports.addresses.join(' ') === before) return;
    await this.#stopServer();
    await this.#startServer();
    this.#tellAll();
  }

  async #startServer(): Promise<void> {
    const { program, dataDir, ownAddresses, onProblem } = this.#options;
    const relayAddresses = this.#ports.addresses;
    if (program === undefined || relayAddresses.length === 0 || this.#isClosed) return;
    const { secret } = this.#rights;
    try {
      const configuration = { relayAddresses, ownAddresses: ownAddresses(), secret };
      const server = await Coturn.start(program, join(dataDir, FOLDER), configuration);
      this.#server = server;
      this.#startedAtMs = performance.now();
      this.#ports.serverPort = server.port;
      void server.ended.then(() => this.#ended(server));
    } catch (error) {
      onProblem(`The TURN server was not started: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #stopServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#ports.serverPort = undefined;
    this.#ports.endFlows();
    clearTimeout(this.#restart);
    await server?.stop();
  }

  /** By itself: it crashed, or cannot run here. */
  #ended(server: Coturn): void {
    if (this.#server !== server) return;
    this.#server = undefined;
    this.#ports.serverPort = undefined;
    this.#ports.endFlows();
    if (performance.now() - this.#startedAtMs >= LONGEST_RESTART_MS) this.#restartMs = FIRST_RESTART_MS;
    if (this.#restartMs === FIRST_RESTART_MS) {
      this.#options.onProblem('The TURN server ended, and is started again.');
    }
    this.#restart = setTimeout(() => {
      this.#work = this.#work.then(() => this.#startServer()).then(() => this.#tellAll());
    }, this.#restartMs).unref();
    this.#restartMs = Math.min(2 * this.#restartMs, LONGEST_RESTART_MS);
    this.#tellAll();
  }

  #tellAll(): void {
    for (const member of this.#members.values()) this.#tell(member);
  }

  #tell({ id, address, room, tell }: Member): void {
    if (this.#ports.addresses.length === 0) return;
    const turn = this.hasTurn ? this.#rights.credential(this.#options.nowMs(), id, address, room) : null;
    tell({ kind: 'ice', port: this.#ports.port, turn });
  }
}
