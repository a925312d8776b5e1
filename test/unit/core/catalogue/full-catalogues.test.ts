// Devices that know as many others as a catalogue takes, but not the same ones: what only one keeps must not
// go over their link, and what both keep must do so promptly.

import { describe, expect, it } from 'vitest';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { decodeEntry } from '../../../../src/core/catalogue/entry.ts';
import { concatBytes } from '../../../../src/core/model/bytes.ts';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../../../../src/core/model/limits.ts';
import { Peer } from '../../../../src/core/peer/peer.ts';
import type { PeerInput } from '../../../../src/core/peer/peer-events.ts';
import { decodeMessage, encodeMessage } from '../../../../src/core/wire/messages.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt, uncheckedEntry } from '../../../fixtures/pool-fixture.ts';

const [ANN, BEN, CAT] = [deviceAt(0), deviceAt(1), deviceAt(2)];
/** Entries of the one stranger on each side that writes a lot. */
const LONG_LOG_LENGTH = 200;
const LAST_SEQ = 4;
/** The logs of made-up devices, different on each side. */
const STRANGERS = [0, 1].map((side) =>
  Array.from({ length: MAX_DEVICE_COUNT - 3 }, (_, index) => strangerLog(side, index)),
);

/** Ann's and Ben's peers, what passes between them, and time. */
class Pair {
  readonly ann = new Peer(ANN.deviceId, 0);
  readonly ben = new Peer(BEN.deviceId, 0);
  /** What syncs cost and bring: messages, bytes, records. */
  sent = { asks: 0, bytes: 0, records: 0 };
  #nowMs = 1_000;
  readonly #letters: { readonly from: DeviceId; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];

  link(): void {
    this.input(this.ann, { kind: 'link-up', device: BEN.deviceId });
    this.input(this.ben, { kind: 'link-up', device: ANN.deviceId });
    this.#settle();
  }

  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.#nowMs += 1_000;
      for (const peer of [this.ann, this.ben]) this.input(peer, { kind: 'tick' });
      this.#settle();
    }
  }

  input(peer: Peer, input: PeerInput): void {
    const self = peer === this.ann ? ANN.deviceId : BEN.deviceId;
    for (const effect of peer.handle(this.#nowMs, input)) {
      if (effect.kind === 'send') {
        const bytes = concatBytes(...encodeMessage(effect.message));
        this.#letters.push({ from: self, bytes });
        const { kind } = effect.message;
        if (kind === 'sync' || kind === 'entries') this.sent.bytes += bytes.length;
        if (kind === 'sync') this.sent.asks += 1;
        if (kind === 'entries') this.sent.records += effect.message.entries.length;
      } else if (effect.kind === 'try-store') {
        this.input(peer, { kind: 'store-tried', works: true });
      } else if (effect.kind === 'check-entries') {
        const entries = effect.entries.map((bytes) => ({ entry: decodeEntry(bytes) }));
        this.input(peer, { kind: 'entries-checked', from: effect.from, entries, more: effect.more });
      }
    }
  }

  #settle(): void {
    for (let letter = this.#letters.shift(); letter !== undefined; letter = this.#letters.shift()) {
      const to = letter.from === ANN.deviceId ? this.ben : this.ann;
      this.input(to, { kind: 'message', from: letter.from, ...decodeMessage(letter.bytes) });
    }
  }
}

describe('two devices that know a thousand others, though not the same', () => {
  it('are not sent what they cannot keep, neither when they meet nor after another entry', () => {
    const pair = fullPair();
    pair.link();
    pair.pass(20);
    expect(pair.ann.catalogue.heads()).toHaveLength(MAX_DEVICE_COUNT);
    expect(pair.ben.catalogue.heads()).toHaveLength(MAX_DEVICE_COUNT);
    expect(pair.sent.asks).toBeLessThanOrEqual(6);
    expect(pair.sent.records).toBe(0);

    pair.sent = { asks: 0, bytes: 0, records: 0 };
    pair.input(pair.ann, { kind: 'published', entries: [profileOf(ANN, 2)] });
    pair.pass(30);
    expect(pair.sent).toMatchObject({ asks: 0, records: 1 });
    expect(pair.sent.bytes).toBeLessThan(1_000);
  });

  it('bring each other news in the logs that both keep, within a pulse', () => {
    const pair = fullPair();
    pair.link();
    pair.pass(20);
    for (let seq = 2; seq <= LAST_SEQ; seq++) {
      pair.sent = { asks: 0, bytes: 0, records: 0 };
      // Ann heard it from another device. Nobody tells Ben.
      const entries = [profileOf(CAT, seq)];
      pair.input(pair.ann, { kind: 'entries-checked', from: CAT.deviceId, entries, more: false });
      pair.pass(5);
      expect(pair.ben.catalogue.deviceName(CAT.deviceId)).toBe(`name ${seq}`);
      // Ann may ask too, before Ben has it.
      expect(pair.sent.asks).toBeLessThanOrEqual(2);
      expect(pair.sent.records).toBe(1);
    }
  });

  it('and one that has room takes as many logs as it can', () => {
    const pair = new Pair();
    fill(pair.ann, 0);
    pair.ben.catalogue.add([profileOf(BEN, 1), ...itemAt(STRANGERS, 1).slice(1, 11).flat()]);
    pair.link();
    pair.pass(20);
    expect(pair.ben.catalogue.heads()).toHaveLength(MAX_DEVICE_COUNT);
    pair.sent = { asks: 0, bytes: 0, records: 0 };
    pair.input(pair.ben, { kind: 'published', entries: [profileOf(BEN, 2)] });
    pair.pass(30);
    expect(pair.sent).toMatchObject({ asks: 0, records: 1 });
  });
});

/** They know each other, and neither has room left. */
function fullPair(): Pair {
  const pair = new Pair();
  for (const [side, peer] of [pair.ann, pair.ben].entries()) fill(peer, side);
  expect(pair.ann.catalogue.digest()).not.toBe(pair.ben.catalogue.digest());
  return pair;
}

function fill(peer: Peer, side: number): void {
  const known = [ANN, BEN, CAT].map((device) => profileOf(device, 1));
  peer.catalogue.add([...known, ...itemAt(STRANGERS, side).flat()]);
  expect(peer.catalogue.heads()).toHaveLength(MAX_DEVICE_COUNT);
}

function strangerLog(side: number, index: number): CheckedEntry[] {
  const publicKey = seededBytes(32, 20_000 + 10_000 * side + index);
  const log = [profileOf({ publicKey }, 1)];
  for (let seq = 2; index === 0 && seq <= LONG_LOG_LENGTH; seq++)
    log.push(profileOf({ publicKey }, seq, itemAt(log, seq - 2)));
  return log;
}

type Writer = Parameters<typeof uncheckedEntry>[0];

/**
 * The entry of this number in a log of names only. `before` is the one before it; it is made if not given.
 */
function profileOf(writer: Writer, seq: number, before?: CheckedEntry): CheckedEntry {
  const prior = before ?? (seq > 1 ? profileOf(writer, seq - 1) : undefined);
  const position = { seq, prev: prior?.entry.entryId, at: { ms: seq, count: 0 } };
  return uncheckedEntry(writer, position, { kind: 'profile', name: `name ${seq}` });
}
