// Parts of a pool that were upgraded apart become one (FORMATS.md, parts that become one): this device's part
// offers itself to another, or takes another one in. Whom the other part shut out is shut out first, so that
// a page that ends in between has let nobody in.

import { ActRights } from '../core/catalogue/grants/act-rights.ts';
import { encodeActBody } from '../core/catalogue/grants/act-body-codec.ts';
import type { LogStretch, OfferedMember, OfferTerms } from '../core/catalogue/grants/act-body.ts';
import {
  takenParts,
  followersOf,
  openOffers,
  outsOf,
  type OfferAct,
  type Part,
} from '../core/catalogue/grants/part-joins.ts';
import { isCharterCode } from '../core/catalogue/grants/charter-code.ts';
import type { OtherPart } from '../core/catalogue/grants/other-parts.ts';
import { DeviceLog } from '../core/catalogue/device-log.ts';
import type { PackedEntry } from '../core/catalogue/packed-entry.ts';
import { encodeCbor } from '../core/encoding/decode.ts';
import { PalmError } from '../core/model/errors.ts';
import type { DeviceId, EntryId } from '../core/model/ids.ts';
import {
  MAX_LOG_BYTES,
  MAX_NAMED_BY_ACT,
  MAX_OFFER_BYTES,
  MAX_SEEN_ACTS,
  MAX_STRETCHES,
} from '../core/model/limits.ts';
import type { Peer } from '../core/peer/peer.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import type { Roles } from './roles.ts';
import type { JoiningPart, PartStatus } from './trust-api.ts';

/** What a record of an offer has besides its body. */
const RECORD_BYTES = 512;

export interface JoiningPorts {
  readonly driver: PeerDriver;
  readonly roles: Pick<Roles, 'shutOut'>;
}

export class JoiningParts {
  readonly #driver: PeerDriver;
  readonly #roles: JoiningPorts['roles'];

  constructor({ driver, roles }: JoiningPorts) {
    this.#driver = driver;
    this.#roles = roles;
  }

  /** @throws PalmError 'bad-argument', 'not-allowed'. */
  async offer(id: string, code: string | undefined): Promise<void> {
    const { own, part } = this.#both(id, code);
    const charter = part.charter.record.id;
    if (own.standings.outsOf(part.charter.record.by).length > 0) throw badArgument('part-out');
    const { epochs } = this.#driver.acts;
    await this.#write({ from: own.charter, charter, members: this.#members(own), epochs: epochs.offers() });
  }

  /** Offers this part to nobody any more. @throws PalmError 'not-allowed'. */
  async withdraw(): Promise<void> {
    const own = this.#own();
    if (openOffers(own).length === 0) return;
    const { charter } = own;
    await this.#write({ from: charter, charter, members: [], epochs: [] });
  }

  /** @throws PalmError 'bad-argument', 'not-allowed'. */
  async takeIn(id: string, code: string | undefined): Promise<void> {
    const { own, part } = this.#both(id, code);
    const [offer] = offersTo(own, part);
    if (offer === undefined) throw badArgument('no-offer');
    const record = this.#driver.peer.acts.parts
      .actsOf(part.charter.record.id)
      .find((act) => act.record.id === offer.id);
    if (record === undefined) throw badArgument('no-offer');
    const outs = outsOf(part).filter((device) => own.standings.of(device) !== undefined);
    if (outs.includes(this.#driver.deviceId)) throw badArgument('part-out');
    if (outs.length > 0) await this.#roles.shutOut(outs);
    await this.#driver.acts.write(() => {
      this.#own();
      return { kind: 'take-in', as: 0, offer: record.record.bytes };
    });
  }

  #write(terms: OfferTerms): Promise<unknown> {
    const seen = Array.from({ length: MAX_SEEN_ACTS }, () => terms.from);
    const byteCount = encodeCbor(encodeActBody({ kind: 'offer', as: 0, seen, ...terms })).length;
    const isTooLarge = terms.members.length > MAX_NAMED_BY_ACT || byteCount + RECORD_BYTES > MAX_OFFER_BYTES;
    if (isTooLarge)
      throw new PalmError({ code: 'bad-argument', reason: 'part-too-large', max: MAX_NAMED_BY_ACT });
    return this.#driver.acts.write(() => {
      this.#own();
      return { kind: 'offer', as: 0, ...terms };
    });
  }

  /** @throws PalmError 'not-allowed' unless this device is of rank 0. */
  #own(): Part {
    const { acts } = this.#driver.peer;
    if (acts.charter === undefined) throw new PalmError({ code: 'not-allowed', reason: 'no-roles' });
    if (acts.own === undefined || acts.rankOf(this.#driver.deviceId) !== 0)
      throw new PalmError({ code: 'not-allowed', reason: 'first-admins-join' });
    return acts.own;
  }

  #both(id: string, code: string | undefined): { readonly own: Part; readonly part: OtherPart } {
    const own = this.#own();
    const { parts } = this.#driver.peer.acts;
    const charter = parts.charters().find(({ record }) => record.id === id);
    const part = charter && parts.find(charter.record.id);
    if (part === undefined) throw badArgument('no-part');
    if (code !== undefined && !isCharterCode(code, part.charter.record.id))
      throw badArgument('wrong-part-code');
    return { own, part };
  }

  #members(own: Part): OfferedMember[] {
    const rights = new ActRights(this.#driver.peer.acts);
    const members = followersOf(own).map((device): OfferedMember => {
      const role = own.standings.of(device)?.role === 'reader' ? 'reader' : 'member';
      return { device, role, stretches: this.#stretches(device, rights) };
    });
    const outs = outsOf(own).map((device): OfferedMember => {
      return { device, role: undefined, stretches: this.#stretches(device, rights) };
    });
    return [...members, ...outs];
  }

  /** What counts of the device's log, from its first entry to its head, or to the last that counts. */
  #stretches(device: DeviceId, rights: ActRights): LogStretch[] {
    const log = new DeviceLog(MAX_LOG_BYTES, rights.pointsOf(device));
    for (const entry of this.#driver.peer.catalogue.missingFor([], { device, seq: 0, entry: undefined })) {
      if (entry.deviceId !== device) break;
      log.add(entry);
    }
    const stretches: LogStretch[] = [];
    for (const entry of chainOf(log)) {
      const right = rights.rightAt(entry, log);
      if (stretches.at(-1)?.right === right) stretches.pop();
      stretches.push({ right, point: { seq: entry.seq, entry: entry.entryId } });
    }
    while (stretches.at(-1)?.right === 'none') stretches.pop();
    return bounded(stretches);
  }
}

/** Of a log that changed hands too often, what comes first counts by the pool's own acts. */
function bounded(stretches: readonly LogStretch[]): LogStretch[] {
  if (stretches.length <= MAX_STRETCHES) return [...stretches];
  const last = stretches.slice(1 - MAX_STRETCHES);
  const { point } = stretches[stretches.length - MAX_STRETCHES] as LogStretch; // there are more
  return [{ right: 'none', point }, ...last];
}

/** From its first entry to its head. */
function chainOf(log: DeviceLog): PackedEntry[] {
  const chain: PackedEntry[] = [];
  for (let entry = log.head; entry !== undefined;) {
    chain.push(entry);
    entry = entry.prevId === undefined ? undefined : log.get(entry.prevId);
  }
  return chain.toReversed();
}

/** Offers of the part to this pool, as its acts say. */
function offersTo({ charter }: Part, part: OtherPart): OfferAct[] {
  const { placed, standings } = part;
  const own = { charter: part.charter.record.id, placed, standings };
  return openOffers(own).filter(({ body }) => body.charter === charter);
}

/**
 * Parts of this pool that devices of it upgraded apart, one for each device that did: what it offered, if it
 * did, else the first that came.
 */
export function partsOf({ acts, catalogue }: Peer, self: DeviceId): PartStatus[] {
  const { own } = acts;
  const charters = acts.parts.charters().filter(({ record }) => acts.isIn(record.by));
  if (own === undefined || charters.length === 0) return [];
  const [offered, taken] = [openOffers(own), takenParts(own)];
  const parts = new Map<DeviceId, PartStatus>();
  for (const { record } of charters) {
    const part = partStatus(own, record.id, record.by);
    if (!parts.has(record.by) || part.offer !== undefined || part.isOffered) parts.set(record.by, part);
  }
  return [...parts.values()];

  function partStatus(pool: Part, id: EntryId, by: DeviceId): PartStatus {
    const part = acts.parts.find(id);
    const [offer] = part === undefined ? [] : offersTo(pool, part);
    const ofThis = taken.filter(({ from }) => from === id);
    const isTaken = offer === undefined ? ofThis.length > 0 : ofThis.some((each) => each.offer === offer.id);
    const waitsFor = acts.moveTo(id, self)?.waitsFor.map(named) ?? [];
    return {
      id,
      byId: by,
      byName: catalogue.deviceName(by),
      isOffered: offered.some(({ body }) => body.charter === id),
      isTaken,
      ...(offer === undefined || part === undefined || isTaken ? {} : { offer: joiningOf(offer, part) }),
      ...(waitsFor.length === 0 ? {} : { waitsFor }),
    };
  }

  function joiningOf({ body }: OfferAct, part: OtherPart): JoiningPart {
    const devices = body.members.flatMap(({ device, role }) => (role === undefined ? [] : [named(device)]));
    const shutsOut = outsOf(part).filter((device) => acts.isIn(device));
    return { devices, shutsOut: shutsOut.map(named) };
  }

  function named(device: DeviceId): { readonly id: string; readonly name: string } {
    return { id: device, name: catalogue.deviceName(device) };
  }
}

function badArgument(reason: 'no-part' | 'no-offer' | 'part-out' | 'wrong-part-code'): PalmError {
  return new PalmError({ code: 'bad-argument', reason });
}
