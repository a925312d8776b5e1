// Writes this device's log: signs entries, makes them durable and hands them on. Entries that come while
// others are being written share one transaction and one message: a thousand small files cost a few dozen
// flushes.
//
// Invariants: entries are chained in the order of the calls; none is spread before it is durable; each call
// settles once.

import { encodeSigned } from '../../core/encoding/signed-record.ts';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { EntryPosition } from '../../core/catalogue/log-head.ts';
import { checkEntry, type CheckedEntry } from '../../core/catalogue/check.ts';
import { tickAfter } from '../../core/catalogue/clock.ts';
import { encodeEntryPayload, signedBytesOf, type EntryBody } from '../../core/catalogue/entry.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Clock, Cryptography, Identity } from '../../core/ports.ts';

/** Entries written together: beyond a few dozen the flush no longer counts. */
const MAX_TOGETHER = 32;
/** Their bytes: one message still has room for the largest entry that may follow. */
const MAX_TOGETHER_BYTES = 256 * 1024;

export interface PublisherPorts {
  readonly clock: Clock;
  readonly cryptography: Cryptography;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly catalogue: Catalogue;
  /** Makes entries durable, all or none. */
  keep(entries: readonly CheckedEntry[]): Promise<void>;
  /** They are durable: adds them to the catalogue, and spreads them. */
  published(entries: readonly CheckedEntry[]): void;
  /** @throws the reason, once this device's part in the pool has ended. */
  checkAlive(): void;
}

interface Waiting {
  readonly body: EntryBody;
  readonly resolve: (entry: CheckedEntry) => void;
  readonly reject: (error: unknown) => void;
}

/** Refused before anything is written: nobody would keep it. */
export function logFull(isFile: boolean): PalmError {
  return new PalmError({ code: 'log-full', reason: isFile ? 'no-more-files' : 'nothing-more' });
}

/** Room is left for removals: what people add must not take it. */
function addsFile({ kind }: EntryBody): boolean {
  return kind === 'file' || kind === 'name';
}

export class Publisher {
  readonly #ports: PublisherPorts;
  readonly #waiting: Waiting[] = [];
  #isWriting = false;
  #written: Promise<void> = Promise.resolve();

  constructor(ports: PublisherPorts) {
    this.#ports = ports;
  }

  /** Resolves once the entry is durable and on its way. If it fails, others are not affected. */
  publish(body: EntryBody): Promise<CheckedEntry> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ body, resolve, reject });
      if (!this.#isWriting) this.#written = this.#writeAll();
    });
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#written;
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // Calls of the same turn are written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const written = await this.#signSome();
      const entries = written.map(({ entry }) => entry);
      try {
        if (entries.length > 0) await this.#ports.keep(entries);
        this.#ports.published(entries);
        for (const { call, entry } of written) call.resolve(entry);
      } catch (error) {
        for (const { call } of written) call.reject(error);
      }
    }
    // In the same turn as the last look at the queue: a call that comes now starts a new run.
    this.#isWriting = false;
  }

  async #signSome(): Promise<{ call: Waiting; entry: CheckedEntry }[]> {
    const { catalogue, clock, identity } = this.#ports;
    const signed: { call: Waiting; entry: CheckedEntry }[] = [];
    let byteCount = 0;
    let position = catalogue.positionOf(identity.deviceId, clock.wallMs());
    const roomOf = (body: EntryBody): number =>
      catalogue.roomOf(identity.deviceId, addsFile(body) ? 'file' : 'other') - byteCount;
    while (signed.length < MAX_TOGETHER && byteCount < MAX_TOGETHER_BYTES) {
      const call = this.#waiting.shift();
      if (call === undefined) break;
      try {
        this.#ports.checkAlive();
        const entry = await this.#sign(call.body, position);
        if (entry.entry.bytes.length > roomOf(call.body)) throw logFull(addsFile(call.body));
        signed.push({ call, entry });
        byteCount += entry.entry.bytes.length;
        const { seq, entryId, at } = entry.entry;
        position = { seq: seq + 1, prev: entryId, at: tickAfter(at, clock.wallMs()) };
      } catch (error) {
        call.reject(error);
      }
    }
    return signed;
  }

  async #sign(body: EntryBody, position: EntryPosition): Promise<CheckedEntry> {
    const { identity, keys, cryptography } = this.#ports;
    const payload = encodeEntryPayload({
      pool: keys.poolId,
      publicKey: identity.publicKey,
      ...position,
      body,
    });
    const bytes = encodeSigned(payload, await identity.sign(signedBytesOf(payload)));
    return checkEntry(bytes, keys, cryptography);
  }
}
