// The epochs of an open pool on this device: opens the keys that acts seal for it, seals what it has for
// others who lack it, and moves the pool to the current epoch (FORMATS.md, epochs).
//
// Invariants: a secret is durable before anything is sealed with it. Looks come one after another, so that
// the keys in use are those of the last acts that were told.

import {
  cleanEpochs,
  epochsOf,
  type EpochAct,
  type Epochs,
} from '../../core/catalogue/grants/epoch-chain.ts';
import {
  epochCheckOf,
  openEpochKey,
  openKeys,
  sealKeys,
  type EpochSecret,
} from '../../core/catalogue/grants/epoch-keys.ts';
import type { OfferedEpoch, SealedKey } from '../../core/catalogue/grants/act-body.ts';
import { takenParts } from '../../core/catalogue/grants/part-joins.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { awaitedMembers } from '../../core/catalogue/grants/awaited-members.ts';
import { exchangeKeysOf } from '../../core/catalogue/grants/exchange-keys.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { ExchangeKey, ExchangePair } from '../../core/model/exchange-key.ts';
import type { DeviceId, EntryId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import {
  EXCHANGE_START_BYTES,
  MAX_EARLIER_ROOMS,
  MAX_OFFERED_EPOCHS,
  MAX_VOID_EPOCHS,
} from '../../core/model/limits.ts';
import { derivePoolKeys, type PoolKeys } from '../../core/model/pool-keys.ts';
import type { Cryptography, Identity, SecretStore } from '../../core/ports.ts';
import type { Transport } from '../../core/transport-port.ts';
import { loadPool } from '../saved-pool.ts';
import {
  loadEpochSecrets,
  loadExchangePairs,
  ownExchangePair,
  rightSecrets,
  saidIn,
  saveEpochSecrets,
  type NumberedSecret,
} from './epoch-secrets.ts';
import type { KeysInUse } from './keys-age.ts';

export interface EpochKeepingPorts {
  readonly cryptography: Cryptography;
  readonly secrets: SecretStore;
  readonly identity: Pick<Identity, 'deviceId'>;
  readonly transport: Pick<Transport, 'move'>;
  readonly keys: KeyRing;
  readonly acts: ActSet;
  /** Whether keys of an epoch that counts are not here: after each look, unless none were and none are. */
  looked(isMissing: boolean): void;
}

export class EpochKeeping {
  readonly #ports: EpochKeepingPorts;
  readonly #secrets = new Map<EntryId, NumberedSecret>();
  #firstSecret: Uint8Array | undefined;
  #pairs: readonly ExchangePair[] = [];
  readonly #derived = new Map<EntryId, PoolKeys>();
  readonly #first: PoolKeys;
  #looking: Promise<void> = Promise.resolve();

  constructor(ports: EpochKeepingPorts) {
    this.#ports = ports;
    this.#first = ports.keys.current;
  }

  /** Before anything is opened with the pool's keys. Afterwards, and after the acts, comes a look. */
  async restore(): Promise<void> {
    const { secrets, keys } = this.#ports;
    this.#firstSecret = (await loadPool(secrets))?.secret;
    this.#pairs = await loadExchangePairs(secrets);
    for (const each of await loadEpochSecrets(secrets)) {
      this.#secrets.set(each.epoch, each);
      keys.add(this.#keysOf(each));
    }
  }

  /** Whether keys of an epoch that counts are not here: what is sealed with them cannot be opened yet. */
  get isMissing(): boolean {
    return !this.#ports.keys.isComplete;
  }

  /** Whose the keys in use are. Undefined in a pool without a charter. */
  get inUse(): KeysInUse | undefined {
    const { acts, keys } = this.#ports;
    const id = this.#idOf(keys.current) ?? acts.charter;
    const act = id === undefined ? undefined : acts.find(id);
    return act && { id: act.record.id, sinceMs: act.record.at.ms };
  }

  /** The epochs by all acts that are here. */
  epochs(): Epochs {
    const { acts } = this.#ports;
    if (acts.charter === undefined) return NO_EPOCHS;
    return epochsOf(acts.placed, acts.charter, acts.standings);
  }

  /** Which of the known keys only devices have that are in. All of them in a pool without a charter. */
  cleanKeys(): ReadonlySet<PoolKeys> {
    const { acts, keys } = this.#ports;
    if (acts.charter === undefined) return new Set(keys.newestFirst);
    const clean = cleanEpochs(acts.placed, acts.charter, acts.standings);
    const isClean = (each: PoolKeys): boolean => {
      const id = this.#idOf(each);
      return each === this.#first ? clean.has(undefined) : id !== undefined && clean.has(id);
    };
    return new Set(keys.newestFirst.filter(isClean));
  }

  /** What is handed over to devices of the pool: all secrets, those of epochs that no longer count, too. */
  known(): EpochSecret[] {
    const others = Array.from(this.#secrets.values(), ({ epoch, secret }) => ({ epoch, secret }));
    return this.#firstSecret === undefined ? others : [{ epoch: null, secret: this.#firstSecret }, ...others];
  }

  /** Acts came or were written: opens what they seal for this device, and moves to the current epoch. */
  look(): Promise<void> {
    return this.#after(async () => {
      const epochs = this.epochs();
      await this.#openOwn(epochs);
      this.#follow(epochs);
    });
  }

  /** Whether others have nothing that they could seal keys for this device to. */
  needsExchangeKey(): boolean {
    const { acts, identity } = this.#ports;
    if (acts.charter === undefined || acts.roleOf(identity.deviceId) === undefined) return false;
    const published = exchangeKeysOf(acts.placed).get(identity.deviceId);
    return !this.#pairs.some(({ publicKey }) => published !== undefined && equalBytes(publicKey, published));
  }

  /** To be published. */
  async ownExchangeKey(): Promise<ExchangeKey> {
    const { secrets, cryptography } = this.#ports;
    const { publicKey } = await ownExchangePair(secrets, cryptography);
    this.#pairs = await loadExchangePairs(secrets);
    return publicKey;
  }

  /** All secrets, sealed for the device; undefined when it published no exchange key. */
  async sealedFor(to: DeviceId): Promise<Uint8Array | undefined> {
    const { acts, cryptography, identity } = this.#ports;
    const exchangeKey = exchangeKeysOf(acts.placed).get(to);
    if (acts.charter === undefined || exchangeKey === undefined || !acts.isIn(to)) return undefined;
    const binding = { charter: acts.charter, from: identity.deviceId, to };
    return sealKeys(this.known(), binding, exchangeKey, cryptography);
  }

  /** Takes what a device sealed for this one. Returns whether it was sealed right. */
  async take(from: DeviceId, sealed: Uint8Array): Promise<boolean> {
    const given = await this.#opened(from, sealed);
    if (given === undefined) return false;
    await this.#after(async () => {
      await this.#keep(given);
      this.#follow(this.epochs());
    });
    return true;
  }

  #after(work: () => Promise<void>): Promise<void> {
    const done = this.#looking.then(work);
    this.#looking = done.catch(() => undefined); // the caller gets the failure
    return done;
  }

  async #openOwn({ counting }: Epochs): Promise<void> {
    const { acts, cryptography, identity } = this.#ports;
    const { charter } = acts;
    if (charter === undefined) return;
    const opened: EpochSecret[] = [];
    for (const epoch of counting) {
      if (this.#secrets.has(epoch.id)) continue;
      const { parents, check } = epoch.body;
      for (const { key, sender } of this.#keysIn(epoch)) {
        const own = this.#pairOf(key);
        if (own === undefined) continue;
        const binding = { charter, parents, check };
        const secret = await openEpochKey(key.sealed, binding, identity.deviceId, own, sender, cryptography);
        if (secret === undefined) continue;
        opened.push({ epoch: epoch.id, secret });
        break;
      }
    }
    await this.#keep(opened);
  }

  /** What the epoch's act, and further ones of its writer, seal for this device. */
  #keysIn(epoch: EpochAct): { readonly key: SealedKey; readonly sender: ExchangeKey }[] {
    const { acts, identity } = this.#ports;
    return acts.placed.flatMap(({ id, by, body }) => {
      const isOfEpoch = id === epoch.id || (body.kind === 'epoch-keys' && body.epoch === epoch.id);
      if (!isOfEpoch || by !== epoch.by || (body.kind !== 'epoch' && body.kind !== 'epoch-keys')) return [];
      const { sender } = body;
      return body.keys.filter(({ device }) => device === identity.deviceId).map((key) => ({ key, sender }));
    });
  }

  #pairOf({ exchange }: SealedKey): ExchangePair | undefined {
    return this.#pairs.find(({ publicKey }) =>
      equalBytes(publicKey.subarray(0, EXCHANGE_START_BYTES), exchange),
    );
  }

  async #opened(from: DeviceId, sealed: Uint8Array): Promise<EpochSecret[] | undefined> {
    const { acts, cryptography, identity } = this.#ports;
    if (acts.charter === undefined) return undefined;
    const binding = { charter: acts.charter, from, to: identity.deviceId };
    for (const pair of this.#pairs.toReversed()) {
      try {
        return await openKeys(sealed, binding, pair, cryptography);
      } catch (error) {
        if (!isPalmError(error, 'bad-message')) throw error;
      }
    }
    return undefined;
  }

  /** Keeps those that are new and are what their epochs' acts say. */
  async #keep(given: readonly EpochSecret[]): Promise<void> {
    const { acts, secrets, keys } = this.#ports;
    const offered = this.#offered();
    const isRight = rightSecrets(given, (epoch) => offered.get(epoch) ?? saidIn(acts.find(epoch)));
    const counts = (epoch: EntryId): boolean => acts.standings.counts(epoch) || offered.has(epoch);
    const unknown = isRight.filter(({ epoch }) => !this.#secrets.has(epoch));
    // Honest files may be sealed with keys that counted for a while.
    const voidCount = [...this.#secrets.keys()].filter((epoch) => !counts(epoch)).length;
    const beyond = unknown
      .filter(({ epoch }) => !counts(epoch))
      .slice(Math.max(0, MAX_VOID_EPOCHS - voidCount));
    const fresh = unknown.filter((each) => !beyond.includes(each));
    if (fresh.length === 0) return;
    await saveEpochSecrets(secrets, [...this.#secrets.values(), ...fresh]);
    for (const each of fresh) {
      this.#secrets.set(each.epoch, each);
      keys.add(this.#keysOf(each));
    }
  }

  /** Uses the current epoch's keys, if they are here. */
  #follow(epochs: Epochs): void {
    const { keys, transport } = this.#ports;
    const known = epochs.current && this.#secrets.get(epochs.current.id);
    const current = epochs.current === undefined ? this.#first : known && this.#keysOf(known);
    if (current !== undefined && current !== keys.current) {
      keys.use(current);
      // Nobody waits in rooms of epochs that do not count.
      const rooms = new Set(epochs.counting.flatMap(({ id }) => this.#derived.get(id) ?? []));
      const earlier = keys.newestFirst.filter(
        (each) => each !== current && (each === this.#first || rooms.has(each)),
      );
      transport.move(current, this.#roomsOf(earlier));
    }
    const wasMissing = this.isMissing;
    const wanted = [...epochs.counting.map(({ id }) => id), ...this.#offered().keys()];
    keys.isComplete = wanted.every((epoch) => this.#secrets.has(epoch));
    if (wasMissing || this.isMissing) this.#ports.looked(this.isMissing);
  }

  /** Those where sleepers are awaited: the last ones, and epoch 0's while members of an old pool may come. */
  #roomsOf(earlier: readonly PoolKeys[]): PoolKeys[] {
    const last = earlier.slice(0, MAX_EARLIER_ROOMS);
    if (!earlier.includes(this.#first) || last.includes(this.#first)) return last;
    const { placed, standings, charter } = this.#ports.acts;
    if (awaitedMembers(placed, standings, charter).length === 0) return last;
    return [...last.slice(0, -1), this.#first];
  }

  /** Epochs of parts of the pool that were taken in: what is sealed with their keys counts. */
  #offered(): ReadonlyMap<EntryId, OfferedEpoch> {
    const { own } = this.#ports.acts;
    const epochs = own === undefined ? [] : takenParts(own).flatMap((taken) => taken.epochs);
    return new Map(epochs.map((each) => [each.epoch, each]));
  }

  /** All that this device has, besides epoch 0, the newest first: to be offered with its part of the pool. */
  offers(): OfferedEpoch[] {
    return Array.from(this.#secrets.values(), ({ epoch, number, secret }) => {
      return { epoch, number, check: epochCheckOf(secret) };
    })
      .toSorted((a, b) => b.number - a.number || (a.epoch < b.epoch ? -1 : 1))
      .slice(0, MAX_OFFERED_EPOCHS);
  }

  #idOf(keys: PoolKeys): EntryId | undefined {
    for (const [id, derived] of this.#derived) if (derived === keys) return id;
    return undefined;
  }

  #keysOf({ epoch, number, secret }: NumberedSecret): PoolKeys {
    const derived = this.#derived.get(epoch) ?? derivePoolKeys(secret, number);
    this.#derived.set(epoch, derived);
    return derived;
  }
}

const NO_EPOCHS: Epochs = { counting: [], open: [], current: undefined, isClean: true };
