// The pool's invites on this device: makes and withdraws them, knows those of others, and waits at the doors
// of some. In a pool without a charter there are none.

import { attendedDoors } from '../../core/admission/attendance.ts';
import { isExpired, verdictOf, type AdmissionFacts } from '../../core/admission/verdict.ts';
import { checkTicket, type Application } from '../../core/catalogue/grants/ticket.ts';
import { decodeEntry } from '../../core/catalogue/entry.ts';
import { openLiveInvite, sealLiveInvite, type LiveInvite } from '../../core/catalogue/live-invite.ts';
import type { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import { concatBytes, equalBytes, hexOf } from '../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { parseExchangeKey } from '../../core/model/exchange-key.ts';
import { deviceIdOf, parseDeviceId, type DeviceId } from '../../core/model/ids.ts';
import { waitingKeyOf } from '../../core/model/invite-door.ts';
import { encodeInvite, encodeTicketInvite, type Invite } from '../../core/model/invite.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { MAX_KNOWN_INVITES, MAX_TICKET_HEADS } from '../../core/model/limits.ts';
import { decodeTicket, encodeTicketBody, signedTicketBytes, type Ticket } from '../../core/model/ticket.ts';
import type { Random } from '../../core/ports.ts';
import type { InviteOptions, InviteStatus } from '../invite-api.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import { checkedInviteOptions } from './invite-options.ts';
import { MemberDoor, type DoorPorts } from './member-door.ts';

const NONCE_BYTES = 12;
/** Changes of the pool within this time, ms, are looked at together. */
const LOOK_AFTER_MS = 250;

export interface InvitesPorts extends DoorPorts {
  readonly random: Random;
  readonly keys: KeyRing;
  readonly driver: PeerDriver;
  readonly appUrl: string;
  /** The pool's own, which in one without a charter is all that there is. */
  readonly invite: Invite;
  changed(): void;
  failed(error: unknown): void;
}

export interface MadeInvite {
  readonly url: string;
  /** Undefined in a pool without a charter, which has one invite for all. */
  readonly id: string | undefined;
}

interface KnownInvite extends LiveInvite {
  readonly id: string;
}

export class Invites {
  readonly #ports: InvitesPorts;
  /** By the invite's public key, in hexadecimal. */
  readonly #known = new Map<string, KnownInvite>();
  /** Entries that were opened, or do not open. */
  readonly #read = new WeakSet<PackedEntry>();
  readonly #doors = new Map<string, MemberDoor>();
  #reading: Promise<void> = Promise.resolve();
  #cancelLook: (() => void) | undefined;
  #isStopped = false;
  #unwatch = (): void => undefined;

  constructor(ports: InvitesPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#unwatch = this.#ports.driver.watch(() => this.#lookSoon());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unwatch();
    this.#cancelLook?.();
    const doors = [...this.#doors.values()];
    this.#doors.clear();
    await Promise.all(doors.map((door) => door.close()));
  }

  /** @throws PalmError 'bad-argument', 'not-allowed'. */
  async make(options: InviteOptions): Promise<MadeInvite> {
    const { driver, identity, clock, random, cryptography, keys } = this.#ports;
    const { acts } = driver.peer;
    const { charter } = acts;
    if (charter === undefined) return { url: this.#endless(options), id: undefined };
    const { role, uses, expiresInMs } = checkedInviteOptions(options);
    if (acts.roleOf(identity.deviceId) !== 'admin') {
      throw new PalmError({ code: 'not-allowed', reason: 'admins-only' });
    }
    const { privateKey: seed, publicKey } = await cryptography.newSigningPair();
    const body = encodeTicketBody({
      role,
      uses,
      expiresMs: clock.wallMs() + expiresInMs,
      charter,
      inviteKey: publicKey,
      issuerKey: identity.publicKey,
      heads: acts.positionOf(identity.deviceId).seen.slice(0, MAX_TICKET_HEADS),
    });
    const ticket = decodeTicket(concatBytes(body, await identity.sign(signedTicketBytes(body))));
    const live: KnownInvite = { ticket, waitingKey: waitingKeyOf(seed), id: hexOf(publicKey) };
    const nonce = random.bytes(NONCE_BYTES);
    const { catalogueKey } = keys.current;
    const sealed = await sealLiveInvite(live, catalogueKey, keys.poolId, nonce, cryptography);
    await driver.publish({ kind: 'live-invite', sealed });
    this.#keep(live);
    this.#attend();
    this.#ports.changed();
    return { url: this.#urlOf(encodeTicketInvite({ ticket, seed })), id: live.id };
  }

  #endless(options: InviteOptions): string {
    if (Object.keys(options).length > 0) {
      throw new PalmError({ code: 'bad-argument', reason: 'endless-invite' });
    }
    return this.#urlOf(encodeInvite(this.#ports.invite));
  }

  #urlOf(invite: string): string {
    return `${this.#ports.appUrl}#/join/${invite}`;
  }

  list(): InviteStatus[] {
    const facts = this.#facts();
    return [...this.#known.values()]
      .filter(({ ticket }) => !isExpired(ticket, facts.nowMs))
      .map(({ id, ticket }) => ({
        id,
        role: ticket.role,
        uses: ticket.uses,
        used: facts.admittedBy(ticket.inviteKey),
        expiresMs: ticket.expiresMs,
        by: ticket.issuer,
        state: this.#stateOf(ticket, facts),
      }))
      .toSorted((a, b) => a.expiresMs - b.expiresMs);
  }

  /** Devices that came in by it, as far as this device knows. */
  admittedBy(id: string): DeviceId[] {
    const { acts } = this.#ports.driver.peer;
    return acts.acts().flatMap(({ terms }) => (terms?.invite === id ? [terms.device] : []));
  }

  /** @throws PalmError 'bad-argument' without such an invite, 'not-allowed'. */
  async withdraw(id: string): Promise<void> {
    const known = this.#known.get(id);
    if (known === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-invite' });
    const { driver, identity } = this.#ports;
    const { acts } = driver.peer;
    const { issuer } = known.ticket;
    if (acts.roleOf(identity.deviceId) !== 'admin') {
      throw new PalmError({ code: 'not-allowed', reason: 'admins-only' });
    }
    if (!this.#mayWithdraw(issuer)) {
      throw new PalmError({ code: 'not-allowed', reason: 'above' });
    }
    if (this.#facts().isWithdrawn(known.ticket.inviteKey)) return;
    const as = acts.rankOf(identity.deviceId);
    await driver.acts.write(() => ({ kind: 'withdraw', as, invite: known.ticket.inviteKey }));
    this.#attend();
    this.#ports.changed();
  }

  /** Withdraws what a device that was shut out came in by, and could come in by again under another name. */
  async withdrawBehind(device: string): Promise<void> {
    const { acts } = this.#ports.driver.peer;
    const behind = acts.acts().flatMap(({ terms }) => (terms?.device === device ? [terms.invite] : []));
    for (const { id, state, by } of this.list()) {
      const mayEnd = state === 'live' && this.#mayWithdraw(parseDeviceId(by));
      if (mayEnd && behind.includes(id)) await this.withdraw(id);
    }
  }

  /** Whether this device, as an admin, may withdraw what the issuer made. */
  #mayWithdraw(issuer: DeviceId): boolean {
    const { driver, identity } = this.#ports;
    const { acts } = driver.peer;
    return issuer === identity.deviceId || acts.rankOf(identity.deviceId) < acts.rankOf(issuer);
  }

  #stateOf(ticket: Ticket, facts: AdmissionFacts): InviteStatus['state'] {
    if (facts.isWithdrawn(ticket.inviteKey) || facts.roleOf(ticket.issuer) !== 'admin') return 'withdrawn';
    if (facts.admittedBy(ticket.inviteKey) >= ticket.uses) return 'used';
    return facts.nowMs > ticket.expiresMs ? 'expired' : 'live';
  }

  // Which invites there are

  #lookSoon(): void {
    if (this.#cancelLook !== undefined || this.#isStopped) return;
    this.#cancelLook = this.#ports.clock.after(LOOK_AFTER_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
    });
  }

  #look(): void {
    if (this.#isStopped || this.#ports.driver.peer.acts.charter === undefined) return;
    const { catalogue, acts } = this.#ports.driver.peer;
    const unread = [...catalogue.liveInvites].filter(
      (entry) => !this.#read.has(entry) && acts.roleOf(entry.deviceId) === 'admin',
    );
    for (const entry of unread) this.#read.add(entry);
    if (unread.length > 0) {
      this.#reading = this.#reading.then(() => this.#readAll(unread));
      this.#reading.catch((error: unknown) => this.#ports.failed(error));
    }
    this.#attend();
  }

  async #readAll(entries: readonly PackedEntry[]): Promise<void> {
    const before = this.#known.size;
    for (const entry of entries) {
      const live = await this.#opened(entry);
      if (live !== undefined) this.#keep(live);
    }
    this.#attend();
    if (this.#known.size !== before) this.#ports.changed();
  }

  async #opened(entry: PackedEntry): Promise<KnownInvite | undefined> {
    const { keys, cryptography } = this.#ports;
    try {
      const { body, deviceId } = decodeEntry(entry.bytes);
      if (body.kind !== 'live-invite') return undefined;
      const live = await openLiveInvite(body.sealed, keys.catalogueKeys, keys.poolId, cryptography);
      if (live.ticket.issuer !== deviceId) return undefined;
      const isSigned = (await checkTicket(live.ticket.bytes, cryptography)) !== undefined;
      return isSigned ? { ...live, id: hexOf(live.ticket.inviteKey) } : undefined;
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      // Keys that are still to come may open it.
      if (!keys.isComplete) this.#read.delete(entry);
      return undefined;
    }
  }

  #keep(live: KnownInvite): void {
    if (isExpired(live.ticket, this.#facts().nowMs)) return;
    this.#known.set(live.id, live);
    if (this.#known.size <= MAX_KNOWN_INVITES) return;
    const [first] = [...this.#known.values()].toSorted((a, b) => a.ticket.expiresMs - b.ticket.expiresMs);
    if (first !== undefined) this.#known.delete(first.id);
  }

  // Doors

  #attend(): void {
    if (this.#isStopped) return;
    const wanted = new Set(this.#wantedDoors());
    for (const [id, door] of this.#doors) {
      if (wanted.has(id)) continue;
      this.#doors.delete(id);
      door.close().catch((error: unknown) => this.#ports.failed(error));
    }
    for (const id of wanted) {
      const invite = this.#known.get(id);
      if (invite === undefined || this.#doors.has(id)) continue;
      const door = new MemberDoor(invite, this.#ports, {
        facts: () => this.#facts(),
        hasKeys: (device) => this.#ports.driver.peer.catalogue.isMember(device),
        admit: (application) => this.#admit(invite.ticket, application),
        acts: () => this.#ports.driver.peer.acts.acts().map(({ record }) => record.bytes),
        secrets: () => this.#ports.driver.acts.epochs.known(),
        failed: (error) => this.#ports.failed(error),
      });
      this.#doors.set(id, door);
      door.open();
    }
  }

  #wantedDoors(): string[] {
    const { driver, identity } = this.#ports;
    const facts = this.#facts();
    const mayAdmit = (device: DeviceId): boolean => {
      const role = facts.roleOf(device);
      return role === 'admin' || role === 'member';
    };
    if (!mayAdmit(identity.deviceId)) return [];
    const attendants = driver.peer.reachableDevices().filter(mayAdmit);
    const invites = [...this.#known.values()].filter(({ ticket }) => !isExpired(ticket, facts.nowMs));
    return attendedDoors(
      invites.map(({ id, ticket }) => ({
        id,
        issuer: ticket.issuer,
        expiresMs: ticket.expiresMs,
        isLive: this.#stateOf(ticket, facts) === 'live',
      })),
      identity.deviceId,
      attendants,
    );
  }

  /** Judges again when its turn to write has come: meanwhile another device may have come in. */
  async #admit(ticket: Ticket, application: Application): Promise<void> {
    const { driver, identity } = this.#ports;
    const { key, proof, consent } = application;
    const exchange = parseExchangeKey(application.exchange);
    await driver.acts.write(() => {
      const verdict = verdictOf(ticket, deviceIdOf(key), identity.deviceId, this.#facts());
      if (verdict !== 'admit') throw new PalmError({ code: 'cancelled', reason: 'not-wanted' });
      return { kind: 'admit', ticket: ticket.bytes, key, exchange, proof, consent };
    });
    this.#ports.changed();
  }

  #facts(): AdmissionFacts {
    const { driver, identity, clock } = this.#ports;
    const { acts, catalogue } = driver.peer;
    const counting = acts.acts().filter(({ record }) => acts.standings.counts(record.id));
    return {
      charter: acts.charter,
      knows: (act) => acts.find(act) !== undefined,
      roleOf: (device) => acts.roleOf(device),
      isOut: (device) => acts.isOut(device),
      isWithdrawn: (inviteKey) =>
        counting.some(
          ({ record: { body } }) => body.kind === 'withdraw' && equalBytes(body.invite, inviteKey),
        ),
      admittedBy: (inviteKey) => new Set(this.admittedBy(hexOf(inviteKey))).size,
      nowMs: catalogue.positionOf(identity.deviceId, clock.wallMs()).at.ms,
    };
  }
}
