// How linked devices of a pool with a charter tell each other who may what, before anything else. After
// `hello` each says which acts it has, and is sent those that it lacks. A link is greeted, and so takes part
// in everything else, once the other side's acts and this device's together say that it is in.
//
// Who is not in yet is shown only why this device is: two newcomers that different members admitted find out
// so. A device that is out is told of its shut-out, and the link ends. In a pool without a charter, links are
// greeted by `hello` alone, as ever.
//
// A device that follows the charter of an upgraded pool shows it to those that follow none yet, and ends the
// link: they take part again once their persons confirmed. Parts of a pool that were upgraded apart show each
// other their charters, and are two pools; all their acts, once one offered to be taken in by the other.

import type { CheckedAct } from '../catalogue/grants/act.ts';
import type { DeviceId, EntryId } from '../model/ids.ts';
import { MAX_ACTS_PER_MESSAGE } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Greeting } from '../wire/greetings.ts';
import { MAX_ENTRIES_BYTES, type Message } from '../wire/messages.ts';
import { misdeed, send } from './peer-effects.ts';
import type { PeerEffect, PeerInput } from './peer-events.ts';
import { closing, type PeerLink } from './peer-links.ts';
import { KeysExchange } from './keys-exchange.ts';
import type { PeerState } from './peer-state.ts';

/** A device that is out has this long, ms, to read why, before its link is closed. */
const FAREWELL_MS = 5_000;

/** So long a link lasts at most, ms, on which all acts are told to a part that was upgraded apart. */
const TELLING_MS = 30_000;

/**
 * How often a device may ask on one link: honest ones ask again only where acts overtook others on their way.
 */
const MAX_SUMMARIES = 64;

type ActsMessage = Greeting & { readonly kind: 'acts-summary' | 'acts' | 'keys-wanted' | 'keys' };

export interface ActsExchangePorts {
  /** The link may be used for everything from now on. */
  greet(device: DeviceId, link: PeerLink): PeerEffect[];
  /** Acts came that may change who is what. */
  changed(nowMs: MonotonicMs): PeerEffect[];
  /** Keys came that open what could not be opened when it arrived. */
  complete(): PeerEffect[];
}

export class ActsExchange {
  readonly #state: PeerState;
  readonly #ports: ActsExchangePorts;
  readonly keys: KeysExchange;
  /** Whether links must be looked at again. */
  #isDue = false;

  constructor(state: PeerState, ports: ActsExchangePorts) {
    this.#state = state;
    this.#ports = ports;
    this.keys = new KeysExchange(state);
  }

  hello(
    nowMs: MonotonicMs,
    device: DeviceId,
    link: PeerLink,
    { protocol, epoch }: Greeting & { readonly kind: 'hello' },
  ): PeerEffect[] {
    const { acts, links } = this.#state;
    const closed = links.hello(device, link, protocol, epoch);
    if (closed.length > 0) return closed;
    if (link.isAcrossUpgrade) {
      link.endsAtMs = nowMs + FAREWELL_MS;
      return acts.charter === undefined ? [this.#ask(device, link)] : [];
    }
    return acts.charter === undefined ? this.#greet(device, link) : [this.#ask(device, link)];
  }

  heard(from: DeviceId, link: PeerLink, message: ActsMessage): PeerEffect[] {
    if (!link.hasSaidHello) return [closing(from, 'spoke before saying hello')];
    if (message.kind === 'acts') return [{ kind: 'check-acts', from, acts: message.acts }];
    if (message.kind !== 'acts-summary')
      return link.greeted ? this.keys.heard(from, link, message) : this.notGreeted(from, link);
    if (link.isAcrossUpgrade) return this.#tellCharter(from, message.marks);
    link.summaryCount += 1;
    if (link.summaryCount > MAX_SUMMARIES) return [closing(from, 'asks for acts again and again')];
    link.theirActs = { marks: message.marks, told: 'nothing' };
    this.#isDue = true;
    return [];
  }

  /** A device of the pool as it was before: its person may follow the charter. */
  #tellCharter(to: DeviceId, marks: Uint8Array): PeerEffect[] {
    const { charter } = this.#state.acts;
    return charter === undefined ? [] : this.#tell(to, marks, new Set([charter]));
  }

  /** A device that is not greeted speaks of something else. One that is out may not know yet. */
  notGreeted(from: DeviceId, link: PeerLink): PeerEffect[] {
    if (!link.hasSaidHello) return [closing(from, 'spoke before saying hello')];
    return link.endsAtMs === undefined ? [closing(from, 'is not of this pool, and speaks')] : [];
  }

  /** Whether keys of an epoch that counts are not here. */
  keysLooked(isMissing: boolean): PeerEffect[] {
    return this.keys.looked(isMissing) ? this.#ports.complete() : [];
  }

  /** Acts of another device were checked. */
  checked(
    nowMs: MonotonicMs,
    { from, acts, refusedCount }: PeerInput & { readonly kind: 'acts-checked' },
  ): PeerEffect[] {
    const { parts } = this.#state.acts;
    const { version } = parts;
    const added = this.#state.acts.add(acts);
    const effects = this.#added(nowMs, added, from);
    const link = this.#state.links.get(from);
    // A part that was upgraded apart: its acts are kept, and are none of the acts here.
    if (added.length === 0 && parts.version > version)
      effects.push({ kind: 'keep-acts' }, ...this.#ports.changed(nowMs));
    if (refusedCount > 0) effects.push(misdeed(from, 'forged-records', refusedCount));
    // What is kept back for good must not be asked for again and again.
    if (link !== undefined && this.#state.acts.isWaiting && link.askedActs !== this.#state.acts.digest())
      effects.push(this.#ask(from, link));
    return effects;
  }

  /** This device wrote acts, and they are durable. */
  written(nowMs: MonotonicMs, acts: readonly CheckedAct[]): PeerEffect[] {
    return this.#added(nowMs, this.#state.acts.add(acts), undefined);
  }

  /** Greets, tells and ends links as acts say. */
  advance(nowMs: MonotonicMs): PeerEffect[] {
    const effects = this.keys.advance(nowMs);
    for (const [device, link] of this.#state.links.all()) {
      if (link.endsAtMs === undefined || nowMs < link.endsAtMs) continue;
      // Once: the link is down a little later.
      link.endsAtMs = Infinity;
      const isOut = this.#state.acts.isOut(device);
      const why = link.isAcrossUpgrade ? 'follows another charter' : 'is not of this pool any more';
      effects.push(closing(device, isOut ? 'was shut out' : why));
    }
    if (!this.#isDue) return effects;
    this.#isDue = false;
    for (const [device, link] of this.#state.links.all())
      if (link.theirActs !== undefined)
        effects.push(...this.#look(nowMs, device, link, link.theirActs.marks));
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    const ends = Array.from(this.#state.links.all(), ([, { endsAtMs }]) => endsAtMs ?? Infinity);
    return Math.min(this.keys.nextDeadlineMs(), ...ends);
  }

  #look(nowMs: MonotonicMs, device: DeviceId, link: PeerLink, marks: Uint8Array): PeerEffect[] {
    const { acts, self } = this.#state;
    const told = link.theirActs?.told;
    if (link.isAcrossUpgrade) return [];
    if (acts.isOther(marks)) {
      const across = acts.tellingAcross(device, marks);
      link.isAcrossUpgrade = true;
      link.endsAtMs = nowMs + (across.length > 1 ? TELLING_MS : FAREWELL_MS);
      return inMessages(across).map((records) => send(device, { kind: 'acts', acts: records }));
    }
    // It hears what the others say, in case somebody lets it back in.
    if (acts.isOut(self)) return [];
    if (acts.isOut(device)) {
      if (link.endsAtMs !== undefined) return [];
      link.greeted = false;
      link.endsAtMs = nowMs + FAREWELL_MS;
      return this.#tell(device, marks, acts.evidenceAgainst(device));
    }
    if (!acts.isIn(device)) {
      if (link.greeted) return this.#disown(nowMs, device, link, marks);
      if (told !== 'nothing') return [];
      link.theirActs = { marks, told: 'own' };
      return this.#tell(device, marks, acts.evidenceFor(self));
    }
    link.endsAtMs = undefined;
    if (told === 'all') return [];
    link.theirActs = { marks, told: 'all' };
    return [...this.#tell(device, marks), ...(link.greeted ? [] : this.#greet(device, link))];
  }

  /** Who let it in is out, and had no right to: what it may read of that, it has time to read. */
  #disown(nowMs: MonotonicMs, device: DeviceId, link: PeerLink, marks: Uint8Array): PeerEffect[] {
    link.greeted = false;
    link.endsAtMs = nowMs + FAREWELL_MS;
    return this.#tell(device, marks);
  }

  /** What of these, or of all, the device lacks. */
  #tell(device: DeviceId, marks: Uint8Array, only?: ReadonlySet<EntryId>): PeerEffect[] {
    const missing = this.#state.acts.missingFor(marks);
    return inMessages(missing.filter(({ record }) => only?.has(record.id) ?? true)).map((acts) =>
      send(device, { kind: 'acts', acts }),
    );
  }

  #added(nowMs: MonotonicMs, added: readonly CheckedAct[], from: DeviceId | undefined): PeerEffect[] {
    if (added.length === 0) return [];
    this.#isDue = true;
    const effects: PeerEffect[] = [{ kind: 'keep-acts' }];
    const messages = inMessages(added);
    for (const [device, link] of this.#state.links.all()) {
      if (device === from || link.theirActs?.told !== 'all') continue;
      // Whom these acts shut out gets the proof of it alone.
      if (!this.#state.acts.isIn(device)) continue;
      effects.push(...messages.map((acts) => send(device, { kind: 'acts', acts })));
    }
    return [...effects, ...this.#ports.changed(nowMs)];
  }

  #greet(device: DeviceId, link: PeerLink): PeerEffect[] {
    link.greeted = true;
    return this.#ports.greet(device, link);
  }

  #ask(device: DeviceId, link: PeerLink): PeerEffect {
    link.askedActs = this.#state.acts.digest();
    return send(device, { kind: 'acts-summary', marks: this.#state.acts.marks() });
  }
}

/** As few messages as take them all. */
function inMessages(acts: readonly CheckedAct[]): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let room = 0;
  for (const { record } of acts) {
    const last = messages.at(-1);
    if (last === undefined || last.length >= MAX_ACTS_PER_MESSAGE || record.bytes.length > room) {
      messages.push([record.bytes]);
      room = MAX_ENTRIES_BYTES - record.bytes.length;
    } else {
      last.push(record.bytes);
      room -= record.bytes.length;
    }
  }
  return messages;
}

/** Whether the message says who may what, or has to do with the keys that follow from it. */
export function isOfActs(message: Message): message is ActsMessage {
  switch (message.kind) {
    case 'acts-summary':
    case 'acts':
    case 'keys-wanted':
    case 'keys':
      return true;
    default:
      return false;
  }
}
