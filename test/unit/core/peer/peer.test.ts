// The peer machine, alone and with others that speak to it in encoded messages: whom it listens to, what it
// tells, what it takes, and how whatever was missed is mended.

import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { decodeEntry, type EntryBody } from '../../../../src/core/catalogue/entry.ts';
import type { Manifest } from '../../../../src/core/catalogue/manifest.ts';
import { concatBytes, utf8 } from '../../../../src/core/model/bytes.ts';
import { heldBytesOf } from '../../../../src/core/model/geometry.ts';
import {
  parseBlockHash,
  parseJobId,
  type BlockHash,
  type DeviceId,
  type EntryId,
  type FileId,
} from '../../../../src/core/model/ids.ts';
import {
  BLOCK_BYTES,
  MAX_FORETOLD_JOBS,
  MAX_OPEN_REQUESTS,
  SOON_KEEP_MS,
} from '../../../../src/core/model/limits.ts';
import { Peer } from '../../../../src/core/peer/peer.ts';
import { proofBlocksOf } from '../../../../src/core/peer/proof-ranges.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import type { PeerEffect, PeerInput } from '../../../../src/core/peer/peer-events.ts';
import { reachOf } from '../../../../src/core/placement/health.ts';
import {
  decodeMessage,
  encodeMessage,
  PROTOCOL_VERSION,
  type Message,
  type Place,
  type ProofAsk,
} from '../../../../src/core/wire/messages.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  fileBody,
  fileIdAt,
  itemAt,
  manifestOf,
  uncheckedEntry,
  write,
} from '../../../fixtures/pool-fixture.ts';

const PULSE_MS = 5_000;
/** Longer than peers hold back what they tell of their holdings. */
const A_MOMENT_MS = 100;
const HELLO: Message = { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: 0 };
const NO_BYTES = new Uint8Array(0);
const SPACE = 2 ** 40;

/** That every device is a member is known to each. */
const PROFILES = Array.from({ length: 8 }, (_, index) =>
  write(new Catalogue(), deviceAt(index), 1, { kind: 'profile', name: '' }),
);

/** One device with its peer and a store that does at once what it is told. */
class Device {
  readonly id: DeviceId;
  readonly peer: Peer;
  readonly effects: PeerEffect[] = [];
  readonly #net: Net;
  readonly #index: number;

  constructor(net: Net, index: number, epoch = 0) {
    this.#net = net;
    this.#index = index;
    this.id = deviceAt(index).deviceId;
    this.peer = new Peer(this.id, epoch);
    this.peer.catalogue.add(PROFILES);
    for (const profile of PROFILES) net.written.set(profile.entry.entryId, profile);
    this.input({ kind: 'space', freeBytes: SPACE });
  }

  input(input: PeerInput): PeerEffect[] {
    const effects = this.peer.handle(this.#net.nowMs, input);
    this.effects.push(...effects);
    for (const effect of effects) this.#carryOut(effect);
    return effects;
  }

  /** Speaks to this device as `from` would. */
  hear(from: DeviceId, message: Message): PeerEffect[] {
    return this.input({ kind: 'message', from, message, payload: NO_BYTES });
  }

  publish(body: EntryBody, manifest?: Manifest): void {
    const entry = write(
      this.#net.scribble(this.peer),
      deviceAt(this.#index),
      this.#net.nowMs,
      body,
      manifest,
    );
    this.#net.written.set(entry.entry.entryId, entry);
    this.input({ kind: 'published', entries: [entry] });
  }

  /** Stores a file: all fragments are here, then its entry, then its outbox. */
  store(
    label: string,
    changes: Partial<Manifest> = {},
    early?: (PeerInput & { kind: 'outbox' })['early'],
  ): { fileId: FileId; manifest: Manifest } {
    const { body, fileId } = fileBody(label);
    const manifest = manifestOf(this.id, changes);
    this.publish(body, manifest);
    for (const fragment of indicesOf(manifest.n)) this.hold(fileId, manifest, fragment);
    this.input({ kind: 'outbox', file: fileId, early });
    return { fileId, manifest };
  }

  hold(file: FileId, manifest: Manifest, fragment: number): void {
    this.input({ kind: 'held', file, fragment, bytes: heldBytesOf(manifest) });
  }

  sentTo(to: DeviceId, kind?: Message['kind']): Message[] {
    return messagesOf(this.effects, to, kind);
  }

  #carryOut(effect: PeerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#net.carry(this.id, effect.to, effect.message);
        break;
      case 'check-entries': {
        const entries = effect.entries.flatMap(
          (bytes) => this.#net.written.get(decodeEntry(bytes).entryId) ?? [],
        );
        this.input({ kind: 'entries-checked', from: effect.from, entries, more: effect.more });
        break;
      }
      case 'pull':
        this.#net.pulls.push({ device: this, effect });
        break;
      case 'drop':
        this.#drop(effect.file, effect.fragments);
        break;
      case 'outbox-done':
        this.#drop(effect.file, effect.surplus);
        break;
      case 'close-link':
        this.#net.unlink(this.id, effect.device);
        break;
      case 'challenge': {
        const { id, to, places } = effect;
        const expected = places.map((place) => proofOf(place, to));
        const asks = places.map(({ file, fragment }) => ({ file, fragment, salt: SALT }));
        this.input({ kind: 'challenge-ready', id, to, asks, expected });
        break;
      }
      case 'round':
        this.input({ kind: 'round-ready', round: effect.round });
        break;
      case 'prove': {
        const { to, id, asks } = effect;
        const digests = asks.map((ask) => ask && proofOf(ask, this.id));
        this.input({ kind: 'proof-made', to, id, digests });
        break;
      }
      case 'round-over':
      case 'keep-entries':
      case 'forget-entries':
      case 'misdeed':
      case 'prefetch':
      case 'soon-over':
      case 'answer':
      case 'serve':
      case 'stop-serving':
      case 'other-protocol':
        break;
    }
  }

  #drop(file: FileId, fragments: readonly number[]): void {
    for (const fragment of fragments) this.input({ kind: 'unheld', file, fragment });
  }
}

const SALT = seededBytes(16, 77);

/** What a device that holds the fragment answers. */
function proofOf({ file, fragment }: Place, prover: DeviceId): Uint8Array {
  return sha256(utf8(`${file}/${fragment}/${prover}`));
}

interface Letter {
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Devices, the links between them, and time. */
class Net {
  nowMs = 1_000;
  readonly devices = new Map<DeviceId, Device>();
  readonly written = new Map<EntryId, CheckedEntry>();
  readonly manifests = new Map<FileId, Manifest>();
  readonly pulls: { readonly device: Device; readonly effect: PeerEffect & { kind: 'pull' } }[] = [];
  /** Whether a message arrives; all do unless a test says otherwise. */
  arrives: (message: Message) => boolean = () => true;
  readonly #links = new Set<string>();
  #letters: Letter[] = [];

  add(index: number, epoch = 0): Device {
    const device = new Device(this, index, epoch);
    this.devices.set(device.id, device);
    return device;
  }

  /** The catalogue to take the next entry's place from, without adding to it: `published` does that. */
  scribble(peer: Peer): Peer['catalogue'] {
    const copy = new Peer(deviceAt(7).deviceId, 0).catalogue;
    copy.add([...peer.catalogue.missingFor([])].flatMap(({ entryId }) => this.written.get(entryId) ?? []));
    return copy;
  }

  link(a: Device, b: Device): void {
    this.#links.add(linkName(a.id, b.id));
    a.input({ kind: 'link-up', device: b.id });
    b.input({ kind: 'link-up', device: a.id });
    this.settle();
  }

  unlink(a: DeviceId, b: DeviceId): void {
    if (!this.#links.delete(linkName(a, b))) return;
    this.#letters = this.#letters.filter(({ from, to }) => linkName(from, to) !== linkName(a, b));
    this.devices.get(a)?.input({ kind: 'link-down', device: b });
    this.devices.get(b)?.input({ kind: 'link-down', device: a });
  }

  carry(from: DeviceId, to: DeviceId, message: Message): void {
    if (!this.#links.has(linkName(from, to)) || !this.arrives(message)) return;
    this.#letters.push({ from, to, bytes: concatBytes(...encodeMessage(message)) });
  }

  /** Until no message is under way and nothing is to be fetched. */
  settle(): void {
    for (let count = 0; this.#letters.length > 0 || this.pulls.length > 0; count++) {
      if (count > 20_000) throw new Error('the devices never come to rest');
      const letter = this.#letters.shift();
      if (letter !== undefined) {
        this.devices
          .get(letter.to)
          ?.input({ kind: 'message', from: letter.from, ...decodeMessage(letter.bytes) });
        continue;
      }
      const pull = this.pulls.shift();
      if (pull === undefined) continue;
      const { places, from } = pull.effect;
      for (const place of places) {
        const manifest = pull.device.peer.catalogue.files().get(place.file);
        if (manifest === undefined) throw new Error('only known files are fetched');
        pull.device.hold(place.file, manifest, place.fragment);
        pull.device.input({ kind: 'pulled', place, from, outcome: 'held' });
      }
    }
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    this.settle();
    for (;;) {
      const due = Math.min(...[...this.devices.values()].map(({ peer }) => peer.nextDeadlineMs()));
      if (due > endMs) break;
      this.nowMs = Math.max(this.nowMs, due);
      for (const device of this.devices.values()) device.input({ kind: 'tick' });
      this.settle();
    }
    this.nowMs = endMs;
  }
}

function linkName(a: DeviceId, b: DeviceId): string {
  return [a, b].toSorted().join(' ');
}

function messagesOf(effects: readonly PeerEffect[], to: DeviceId, kind?: Message['kind']): Message[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.to === to && effect.message.kind === (kind ?? effect.message.kind)
      ? [effect.message]
      : [],
  );
}

/** One device, and another's id whose link is up but who says only what the test says. */
function listener(greeted = true): { net: Net; device: Device; other: DeviceId } {
  const net = new Net();
  const device = net.add(0);
  const other = deviceAt(1).deviceId;
  device.input({ kind: 'link-up', device: other });
  if (greeted) device.hear(other, HELLO);
  return { net, device, other };
}

function poolOf(count: number): { net: Net; devices: Device[] } {
  const net = new Net();
  const devices = indicesOf(count).map((index) => net.add(index));
  for (const [index, device] of devices.entries()) {
    for (const other of devices.slice(index + 1)) net.link(device, other);
  }
  return { net, devices };
}

/** A device that knows files of another's, which only speaks as the test says. */
function knowing(
  fileCount: number,
  changes: Partial<Manifest> = {},
): { net: Net; device: Device; other: DeviceId; files: FileId[]; manifest: Manifest } {
  const { net, device, other } = listener();
  const manifest = manifestOf(other, changes);
  const writer = net.add(1);
  const files = indicesOf(fileCount).map((index) => {
    const { body, fileId } = fileBody(`file ${index}`);
    writer.publish(body, manifest);
    return fileId;
  });
  device.input({ kind: 'entries-checked', from: other, entries: [...net.written.values()], more: false });
  device.input({ kind: 'space', freeBytes: SPACE });
  return { net, device, other, files, manifest };
}

/** The same with one file. */
function asked(freeBytes = SPACE): { device: Device; other: DeviceId; fileId: FileId; manifest: Manifest } {
  const { device, other, files, manifest } = knowing(1);
  device.input({ kind: 'space', freeBytes });
  return { device, other, fileId: itemAt(files, 0), manifest };
}

/** What is fetched by each `pull`. */
function fetchedBy(effects: readonly PeerEffect[]): (readonly Place[])[] {
  return effects.flatMap((effect) => (effect.kind === 'pull' ? [effect.places] : []));
}

function asking(file: FileId, ...fragments: readonly number[]): Message {
  return { kind: 'place', places: fragments.map((fragment) => ({ file, fragment })) };
}

function refusals(effects: readonly PeerEffect[], to: DeviceId): [number, string][] {
  return messagesOf(effects, to, 'refuse').flatMap((message) =>
    message.kind === 'refuse' ? [[message.place.fragment, message.reason] as [number, string]] : [],
  );
}

describe('a new link', () => {
  it('sends hello alone until the other side said the same, whatever happens meanwhile', () => {
    const { device, other } = listener(false);
    device.publish({ kind: 'profile', name: 'Ann' });
    device.input({ kind: 'held', file: fileIdAt(1), fragment: 0, bytes: 10 });
    device.input({ kind: 'tick' });
    expect(device.sentTo(other)).toEqual([HELLO]);
    expect(device.peer.isReachable(other)).toBe(false);
    device.hear(other, HELLO);
    expect(device.sentTo(other).map(({ kind }) => kind)).toEqual(['hello', 'features', 'sync', 'holdings']);
    expect(device.peer.isReachable(other)).toBe(true);
    expect(device.peer.reachableDevices()).toEqual([device.id, other]);
  });

  it.each<Message>([
    { kind: 'sync', heads: [], from: undefined, closed: false },
    { kind: 'entries', entries: [Uint8Array.of(1)], more: false },
    { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 0 },
    { kind: 'place', places: [] },
    { kind: 'get-block', id: 1, hash: parseBlockHash(seededBytes(32, 1)) },
  ])('that begins with $kind instead of hello is closed', (message) => {
    const { device, other } = listener(false);
    const effects = device.hear(other, message);
    expect(effects).toEqual([{ kind: 'close-link', device: other, reason: 'spoke before saying hello' }]);
  });

  it.each<Message>([
    { kind: 'hello', protocol: PROTOCOL_VERSION - 1, epoch: 0 },
    { kind: 'hello', protocol: PROTOCOL_VERSION + 1, epoch: 0 },
    { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: 1 },
  ])('to a device of protocol $protocol in epoch $epoch is closed', (message) => {
    const { device, other } = listener(false);
    const effects = device.hear(other, message);
    expect(effects.at(-1)).toMatchObject({ kind: 'close-link', device: other });
    expect(effects.map(({ kind }) => kind).includes('other-protocol')).toBe(
      message.kind === 'hello' && message.protocol !== PROTOCOL_VERSION,
    );
    expect(device.sentTo(other)).toEqual([HELLO]);
    expect(device.peer.isReachable(other)).toBe(false);
  });

  it('is closed on a second hello', () => {
    const { device, other } = listener();
    expect(device.hear(other, HELLO)).toMatchObject([{ kind: 'close-link', device: other }]);
  });

  it('that went down is not listened to', () => {
    const { device, other } = listener();
    device.input({ kind: 'link-down', device: other });
    expect(device.hear(other, { kind: 'holdings-wanted' })).toEqual([]);
    expect(device.peer.isReachable(other)).toBe(false);
  });
});

describe('a log that another device sends', () => {
  /** What `other` wrote: each entry follows the one at `prev` in the list, or begins the log. */
  function entriesOf(plan: readonly { prev?: number; at?: number; body: EntryBody }[]): CheckedEntry[] {
    const entries: CheckedEntry[] = [];
    for (const { prev, at = 1, body } of plan) {
      const before = prev === undefined ? undefined : itemAt(entries, prev).entry;
      const place = { seq: (before?.seq ?? 0) + 1, prev: before?.entryId, at: { ms: at, count: 0 } };
      const manifest = body.kind === 'file' ? manifestOf(deviceAt(1).deviceId) : undefined;
      entries.push(uncheckedEntry(deviceAt(1), place, body, manifest));
    }
    return entries;
  }

  function misdeeds(effects: readonly PeerEffect[]): [string, number][] {
    return effects.flatMap((effect): [string, number][] =>
      effect.kind === 'misdeed' ? [[effect.what, effect.count]] : [],
    );
  }

  it('is told of when it forks, and once it is full, and what goes with an evicted file is let go', () => {
    const { device, other } = listener();
    const { body, fileId } = fileBody('evicted');
    const forks = Array.from({ length: 40 }, (_, index) => ({
      prev: 0,
      body: { kind: 'unknown', fields: { kind: 'fork', index } } as const,
    }));
    const [trunk, file, ...others] = entriesOf([{ body: { kind: 'leave' } }, { prev: 0, body }, ...forks]);
    if (trunk === undefined || file === undefined) throw new Error('there are two');
    device.input({ kind: 'entries-checked', from: other, entries: [trunk, file], more: false });
    device.hold(fileId, manifestOf(other), 3);
    // Only those that come before the file in branch order: eight of them leave no room for it.
    const before = others.filter(({ entry }) => entry.entryId < file.entry.entryId);
    const after = others.filter(({ entry }) => entry.entryId > file.entry.entryId);
    expect(Math.min(before.length, 9)).toBeGreaterThan(8);
    const effects = device.input({ kind: 'entries-checked', from: other, entries: before, more: false });
    expect(device.peer.catalogue.files().has(fileId)).toBe(false);
    expect(effects).toContainEqual({ kind: 'outbox-done', file: fileId, surplus: [3] });
    const forgotten = effects.find((effect) => effect.kind === 'forget-entries');
    expect(forgotten?.entries.map(({ entryId }) => entryId)).toEqual([file.entry.entryId]);
    expect(new Set(misdeeds(effects).map(([what]) => what))).toEqual(new Set(['forked-log', 'overfull-log']));
    const more = device.input({ kind: 'entries-checked', from: other, entries: after, more: false });
    expect(misdeeds(more)).toEqual([['overfull-log', after.length]]);
    expect(more.some(({ kind }) => kind === 'keep-entries')).toBe(false);
  });

  it('shows a pool name dated ahead when its time comes, and says so before', () => {
    const { net, device, other } = listener();
    const dayMs = 24 * 60 * 60_000;
    const [name] = entriesOf([{ at: net.nowMs + dayMs + 60_000, body: { kind: 'pool', name: 'later' } }]);
    if (name === undefined) throw new Error('there is one');
    const told = device.input({ kind: 'entries-checked', from: other, entries: [name], more: false });
    expect(misdeeds(told)).toContainEqual(['future-name', 1]);
    expect(device.peer.catalogue.poolName).toBe('');
    net.pass(dayMs / 2 + 59_999);
    expect(device.peer.catalogue.poolName).toBe('');
    net.pass(1);
    expect(device.peer.catalogue.poolName).toBe('later');
  });

  it('that holds records which failed their check is told of by their number', () => {
    const { device, other } = listener();
    const told = device.input({
      kind: 'entries-checked',
      from: other,
      entries: [],
      refusedCount: 7,
      more: false,
    });
    expect(misdeeds(told)).toEqual([['forged-records', 7]]);
  });
});

describe('a second copy that its storer asks to be released', () => {
  /** A device that holds fragment 0 of a file of `storer`, as `third` claims to. */
  function twice(): { device: Device; storer: DeviceId; third: DeviceId; place: Place } {
    const { net, device, other: storer, files } = knowing(1);
    const member = net.add(2);
    member.publish({ kind: 'profile', name: 'Third' });
    const entries = [...net.written.values()];
    device.input({ kind: 'entries-checked', from: storer, entries, more: false });
    const place: Place = { file: itemAt(files, 0), fragment: 0 };
    device.input({ kind: 'held', ...place, bytes: 10 });
    device.input({ kind: 'link-up', device: member.id });
    device.hear(member.id, HELLO);
    device.hear(member.id, { kind: 'features', features: ['challenge'] });
    const held = [{ file: place.file, fragments: packFragments([0]) }];
    device.hear(member.id, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 });
    return { device, storer, third: member.id, place };
  }

  function challengeTo(device: Device, third: DeviceId): Message & { kind: 'challenge' } {
    const challenge = device.sentTo(third, 'challenge').at(-1);
    if (challenge?.kind !== 'challenge') throw new Error('it is challenged');
    return challenge;
  }

  it('is given up when the other holder proved that it has the fragment', () => {
    const { device, storer, third, place } = twice();
    expect(device.hear(storer, { kind: 'release', place }).map(({ kind }) => kind)).not.toContain('drop');
    const { id, asks } = challengeTo(device, third);
    expect(asks).toEqual([{ ...place, salt: SALT }]);
    const digests = [proofOf(place, third)];
    expect(device.hear(third, { kind: 'proof', id, digests })).toContainEqual({
      kind: 'drop',
      file: place.file,
      fragments: [0],
    });
  });

  it.each<[string, (place: Place, third: DeviceId) => (Uint8Array | undefined)[]]>([
    ['a wrong proof', () => [seededBytes(32, 5)]],
    ['the proof of another device', (place) => [proofOf(place, deviceAt(0).deviceId)]],
    ['no proof', () => [undefined]],
    ['nothing', () => []],
  ])('stays when the other holder sends %s', (_, digestsFor) => {
    const { device, storer, third, place } = twice();
    device.hear(storer, { kind: 'release', place });
    const { id } = challengeTo(device, third);
    const digests = digestsFor(place, third);
    const effects = device.hear(third, { kind: 'proof', id, digests });
    expect(effects.map(({ kind }) => kind)).not.toContain('drop');
    expect(device.peer.own.of(place.file).has(0)).toBe(true);
  });

  it('stays when anybody but the storer asks, or nobody else claims it', () => {
    const { device, storer, third, place } = twice();
    device.hear(third, { kind: 'release', place });
    expect(device.sentTo(third, 'challenge')).toEqual([]);
    device.input({ kind: 'link-down', device: third });
    expect(device.hear(storer, { kind: 'release', place }).map(({ kind }) => kind)).not.toContain('drop');
  });
});

describe('a removal of the files of others', () => {
  it('is told of when it counts, not each time that somebody passes it on', () => {
    const { net, device, other } = listener();
    const writer = net.add(1);
    const files = indicesOf(12).map((index) => {
      const { body, fileId } = fileBody(`file ${index}`);
      writer.publish(body, manifestOf(other));
      return fileId;
    });
    device.input({ kind: 'entries-checked', from: other, entries: [...net.written.values()], more: false });
    const known = net.written.size;
    const remover = net.add(2);
    remover.publish({ kind: 'profile', name: 'Ann' });
    for (const file of files) remover.publish({ kind: 'remove', file });
    const [profile, ...removals] = [...net.written.values()].slice(known);
    if (profile === undefined) throw new Error('a profile was written');
    const hear = (entries: readonly CheckedEntry[]): PeerEffect[] =>
      device
        .input({ kind: 'entries-checked', from: other, entries, more: false })
        .filter(({ kind }) => kind === 'misdeed');
    // Without the entry before them they are orphans, and nothing is removed.
    for (let time = 0; time < 20; time++) expect(hear(removals)).toEqual([]);
    expect(hear([profile, ...removals])).toMatchObject([{ what: 'removed-files', count: 12 }]);
    expect(hear(removals)).toEqual([]);
  });
});

describe('challenges', () => {
  const salt = seededBytes(16, 6);
  const asksFor = (places: readonly Place[]): ProofAsk[] => places.map((place) => ({ ...place, salt }));

  it('are answered for what is held, in order, and for nothing else', () => {
    const { device, other, fileId } = asked();
    device.input({ kind: 'held', file: fileId, fragment: 2, bytes: 10 });
    const places = [1, 2].map((fragment) => ({ file: fileId, fragment }));
    device.hear(other, { kind: 'challenge', id: 4, asks: asksFor(places) });
    expect(device.sentTo(other, 'proof')).toEqual([
      { kind: 'proof', id: 4, digests: [undefined, proofOf({ file: fileId, fragment: 2 }, device.id)] },
    ]);
  });

  it('never make a device read more than their bound', () => {
    const { device, other, files, manifest } = knowing(1, { n: 64 });
    const fileId = itemAt(files, 0);
    const blockCount = proofBlocksOf(manifest);
    for (let fragment = 0; fragment < manifest.n; fragment++)
      device.input({ kind: 'held', file: fileId, fragment, bytes: 10 });
    const places = Array.from({ length: 64 }, (_, fragment) => ({ file: fileId, fragment }));
    const effects = device.hear(other, { kind: 'challenge', id: 4, asks: asksFor(places) });
    const asked64 = effects.flatMap((effect) => (effect.kind === 'prove' ? effect.asks : []));
    expect(asked64).toHaveLength(64);
    const read = asked64.filter((place) => place !== undefined).length * blockCount;
    expect(read).toBeLessThanOrEqual(64);
    expect(read).toBeGreaterThan(64 - blockCount);
  });

  it('that name a fragment again have it proved once', () => {
    const { device, other, fileId } = asked();
    device.input({ kind: 'held', file: fileId, fragment: 2, bytes: 10 });
    const place = { file: fileId, fragment: 2 };
    device.hear(other, { kind: 'challenge', id: 4, asks: asksFor([place, place]) });
    expect(device.sentTo(other, 'proof')).toMatchObject([
      { digests: [proofOf(place, device.id), undefined] },
    ]);
  });

  it('that come before earlier ones were answered end the link', () => {
    const { device, other } = listener();
    // An effect that nobody carries out stands for a disk that takes its time.
    const hear = (id: number): PeerEffect[] =>
      device.peer.handle(2_000, {
        kind: 'message',
        from: other,
        message: { kind: 'challenge', id, asks: [] },
        payload: NO_BYTES,
      });
    for (const id of [1, 2, 3, 4]) expect(hear(id)).toMatchObject([{ kind: 'prove', id }]);
    expect(hear(5)).toMatchObject([{ kind: 'close-link', device: other }]);
    expect(hear(4)).toMatchObject([{ kind: 'close-link', device: other }]);
  });
});

describe('catalogues', () => {
  it('of devices that link become one, whatever each had; what is published later follows', () => {
    const net = new Net();
    const [a, b] = [net.add(0), net.add(1)];
    for (let count = 0; count < 150; count++) a.publish({ kind: 'pool', name: `${count}` });
    for (let count = 0; count < 70; count++) b.publish({ kind: 'profile', name: `${count}` });
    net.link(a, b);
    expect(a.peer.catalogue.digest()).toBe(b.peer.catalogue.digest());
    expect(b.peer.catalogue.poolName).toBe('149');
    b.publish({ kind: 'pool', name: 'renamed' });
    net.settle();
    expect(a.peer.catalogue.poolName).toBe('renamed');
  });

  it('pass through a device in the middle', () => {
    const net = new Net();
    const [a, b, c] = [net.add(0), net.add(1), net.add(2)];
    net.link(a, b);
    net.link(b, c);
    a.publish({ kind: 'profile', name: 'far away' });
    net.pass(2 * PULSE_MS);
    expect(c.peer.catalogue.deviceName(a.id)).toBe('far away');
  });

  it('are mended by the pulse when entries were lost', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.arrives = (message) => message.kind !== 'entries';
    a.publish({ kind: 'profile', name: 'lost' });
    net.settle();
    expect(b.peer.catalogue.deviceName(a.id)).toBe('');
    net.arrives = () => true;
    net.pass(PULSE_MS);
    expect(b.peer.catalogue.deviceName(a.id)).toBe('lost');
  });

  it('in step send pulses and nothing else', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.pass(A_MOMENT_MS);
    const before = a.effects.length;
    net.pass(4 * PULSE_MS);
    expect(
      a.effects.slice(before).map((effect) => (effect.kind === 'send' ? effect.message.kind : effect.kind)),
    ).toEqual(['pulse', 'pulse', 'pulse', 'pulse']);
    expect(b.peer.isReachable(a.id)).toBe(true);
  });
});

describe('holdings', () => {
  it('are told to whoever is linked, and to who links later', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    a.hold(fileId, manifestOf(a.id), 3);
    net.pass(A_MOMENT_MS);
    expect(b.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([3])]]));
    const c = net.add(2);
    net.link(a, c);
    net.pass(A_MOMENT_MS);
    expect(c.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([3])]]));
  });

  it('that do not add up are asked for anew; the pulse finds what was lost without a trace', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    net.settle();
    net.arrives = (message) => message.kind !== 'holdings';
    a.hold(fileId, manifestOf(a.id), 1);
    net.pass(A_MOMENT_MS);
    net.arrives = () => true;
    expect(b.peer.holdersOf(fileId).size).toBe(0);
    net.pass(PULSE_MS);
    expect(b.sentTo(a.id, 'holdings-wanted').length).toBeGreaterThanOrEqual(1);
    expect(b.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([1])]]));
  });

  it('a delta with a gap asks at once', () => {
    const { device, other } = listener();
    const effects = device.hear(other, { kind: 'holdings', base: 5, held: [], heldBytes: 0, freeBytes: 0 });
    expect(messagesOf(effects, other)).toEqual([{ kind: 'holdings-wanted' }]);
  });

  it('of fragments that a file does not have, or of unknown files, do not count', () => {
    const { device, other } = listener();
    const { fileId } = device.store('x');
    const held = [
      { file: fileId, fragments: packFragments([2, 8, 100]) },
      { file: fileIdAt(9), fragments: packFragments([0]) },
    ];
    device.hear(other, { kind: 'holdings', base: 0, held, heldBytes: 0, freeBytes: 0 });
    expect(device.peer.holdersOf(fileId).get(other)).toEqual(new Set([2]));
    expect(device.peer.holdersOf(fileIdAt(9)).size).toBe(0);
  });

  it('of a device that is away are remembered, those of one that left are not', () => {
    const { net, devices } = poolOf(3);
    const [a, b, c] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    for (const [device, fragment] of [
      [b, 1],
      [c, 2],
    ] as const)
      device.hold(fileId, manifestOf(a.id), fragment);
    net.pass(A_MOMENT_MS);
    net.unlink(a.id, b.id);
    expect(a.peer.isReachable(b.id)).toBe(false);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(2);
    c.publish({ kind: 'leave' });
    net.settle();
    expect([...a.peer.holdersOf(fileId).keys()]).toEqual([b.id]);
  });

  it('tell of space alone when it is another by more than a quarter', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.pass(A_MOMENT_MS);
    for (const [freeBytes, told] of [
      [SPACE * 0.9, SPACE],
      [SPACE / 2, SPACE / 2],
      [0, 0],
      [1, 1],
    ] as const) {
      a.input({ kind: 'space', freeBytes });
      net.pass(A_MOMENT_MS);
      expect(b.peer.holdings.of(a.id)?.freeBytes).toBe(Math.floor(told));
    }
  });
});

describe('a fragment that another asks this device to hold', () => {
  it('is fetched from there', () => {
    const { device, other, fileId } = asked();
    expect(device.hear(other, asking(fileId, 2))).toEqual([
      { kind: 'pull', places: [{ file: fileId, fragment: 2 }], from: other, areSmall: false },
    ]);
    expect(device.hear(other, asking(fileId, 2)), 'asked again while it is fetched').toEqual([]);
  });

  it('is refused when the file is not known, or has no such fragment', () => {
    const { device, other, fileId } = asked();
    expect(refusals(device.hear(other, asking(fileIdAt(5), 0)), other)).toEqual([[0, 'unknown-file']]);
    expect(refusals(device.hear(other, asking(fileId, 8)), other)).toEqual([[8, 'unknown-file']]);
  });

  it('is refused beyond the cap, those being fetched included', () => {
    const { device, other, fileId, manifest } = asked();
    device.hold(fileId, manifest, 0);
    const effects = device.hear(other, asking(fileId, 1, 2, 3, 4));
    expect(fetchedBy(effects).flat()).toHaveLength(2);
    expect(refusals(effects, other)).toEqual([
      [3, 'cap'],
      [4, 'cap'],
    ]);
  });

  it('is refused when the space is promised already', () => {
    const fragmentBytes = heldBytesOf(manifestOf(deviceAt(1).deviceId));
    const { device, other, fileId } = asked(2 * fragmentBytes - 1);
    expect(refusals(device.hear(other, asking(fileId, 1, 2)), other)).toEqual([[2, 'space']]);
    device.input({ kind: 'pulled', place: { file: fileId, fragment: 1 }, from: other, outcome: 'failed' });
    expect(refusals(device.hear(other, asking(fileId, 2)), other)).toEqual([]);
  });

  it('that could not be fetched is refused with the reason', () => {
    const { device, other, fileId } = asked();
    device.hear(other, asking(fileId, 1));
    const failed = {
      kind: 'pulled',
      place: { file: fileId, fragment: 1 },
      from: other,
      outcome: 'space',
    } as const;
    expect(refusals(device.input(failed), other)).toEqual([[1, 'space']]);
  });

  it('and is here already, is told of again: once, however many were asked for', () => {
    const { device, other, fileId, manifest } = asked();
    for (const fragment of [0, 1, 2]) device.hold(fileId, manifest, fragment);
    const effects = device.hear(other, asking(fileId, 0, 1, 2));
    const told = messagesOf(effects, other, 'holdings');
    expect(told).toMatchObject([{ base: 0, held: [{ file: fileId, fragments: packFragments([0, 1, 2]) }] }]);
    expect(refusals(effects, other)).toEqual([]);
  });

  it('and waits for its turn, is forgotten with the link of who asked', () => {
    const { device, other, files } = knowing(60);
    const fetched = files.flatMap((file) => fetchedBy(device.hear(other, asking(file, 0))));
    expect(fetched.length).toBeLessThan(60);
    device.input({ kind: 'link-down', device: other });
    for (const place of fetched.flat())
      expect(fetchedBy(device.input({ kind: 'pulled', place, from: other, outcome: 'busy' }))).toEqual([]);
  });
});

describe('small fragments that others ask this device to hold', () => {
  it('come in two fetches at once, and what is asked for meanwhile comes together with the next', () => {
    const { device, other, files } = knowing(70, { size: 4_000 });
    const fetched = files.map((file) => fetchedBy(device.hear(other, asking(file, 0))));
    expect(fetched.flat()).toEqual([[{ file: files[0], fragment: 0 }], [{ file: files[1], fragment: 0 }]]);
    const ended = { kind: 'pulled', from: other, outcome: 'held' } as const;
    const next = fetchedBy(device.input({ ...ended, place: { file: itemAt(files, 0), fragment: 0 } }));
    expect(next).toEqual([files.slice(2, 66).map((file) => ({ file, fragment: 0 }))]);
    // It is over with the last of them.
    const after = itemAt(next, 0).map((place) => fetchedBy(device.input({ ...ended, place })));
    expect(after.slice(0, -1).flat()).toEqual([]);
    expect(after.at(-1)).toEqual([files.slice(66).map((file) => ({ file, fragment: 0 }))]);
  });

  it('come together as far as one answer holds them', () => {
    const { device, other, files, manifest } = knowing(30, { size: 200_000 });
    const places = files.map((file) => ({ file, fragment: 0 }));
    const [whole, ...others] = fetchedBy(device.hear(other, { kind: 'place', places }));
    expect(others).toHaveLength(1);
    expect(whole).toHaveLength(Math.floor(BLOCK_BYTES / 2 / heldBytesOf(manifest)));
  });

  it('of files of several segments, or of large blocks, come each by itself', () => {
    for (const size of [4 * 64 * 1024, 2_000_000]) {
      const { device, other, files } = knowing(4, { size });
      const places = files.map((file) => ({ file, fragment: 0 }));
      expect(fetchedBy(device.hear(other, { kind: 'place', places }))).toEqual(
        places.map((place) => [place]),
      );
    }
  });

  it('are taken from whoever stored their file alone', () => {
    const { device, other, files } = knowing(1, { size: 4_000 });
    const third = deviceAt(2).deviceId;
    device.input({ kind: 'link-up', device: third });
    device.hear(third, HELLO);
    const places = [{ file: itemAt(files, 0), fragment: 0 }];
    const effects = device.hear(third, { kind: 'place', places });
    expect(fetchedBy(effects)).toEqual([]);
    expect(refusals(effects, third)).toEqual([[0, 'failed']]);
    expect(fetchedBy(device.hear(other, { kind: 'place', places }))).toEqual([places]);
  });
});

describe('storing', () => {
  it('spreads fragments over the pool, and everyone knows the same holders', () => {
    const { net, devices } = poolOf(4);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { fileId } = a.store('spread');
    net.pass(A_MOMENT_MS);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    const holders = b.peer.holdersOf(fileId);
    expect([...holders.values()].map(({ size }) => size)).toEqual([2, 2, 2, 2]);
    for (const { peer } of devices) expect(asObject(peer.holdersOf(fileId))).toEqual(asObject(holders));
  });

  it('alone keeps all, then spreads as devices come', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId } = a.store('patient');
    expect([a.peer.own.of(fileId).size, a.peer.inOutbox(fileId)]).toEqual([8, true]);
    net.link(a, net.add(1));
    net.pass(A_MOMENT_MS);
    expect(a.peer.own.of(fileId).size).toBe(8);
    const c = net.add(2);
    net.link(a, c);
    net.pass(A_MOMENT_MS);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    expect(a.peer.own.of(fileId).size).toBeLessThanOrEqual(3);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(8);
  });

  it('goes on after offers and entries were lost', () => {
    const { net, devices } = poolOf(3);
    const a = itemAt(devices, 0);
    let lost = 0;
    net.arrives = (message) => !(message.kind === 'place' || message.kind === 'entries') || ++lost > 4;
    const { fileId } = a.store('unlucky');
    net.pass(120_000);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(8);
  });

  it('does not offer to a device whose holdings and space are not known yet', () => {
    const { device, other } = listener();
    device.store('x');
    expect(device.sentTo(other, 'place')).toEqual([]);
    const holdings = { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: SPACE } as const;
    device.hear(other, holdings);
    expect(device.sentTo(other, 'place')).toHaveLength(1);
    // Nor to one that comes back, before it told anew: what it said before may be long past.
    device.input({ kind: 'link-down', device: other });
    device.input({ kind: 'link-up', device: other });
    device.hear(other, HELLO);
    expect(device.sentTo(other, 'place')).toHaveLength(1);
    device.hear(other, holdings);
    expect(device.sentTo(other, 'place')).toHaveLength(2);
  });
});

describe('blocks that are foretold', () => {
  const job = parseJobId(seededBytes(16, 70));
  const hashes = (count: number): BlockHash[] =>
    indicesOf(count).map((index) => parseBlockHash(seededBytes(32, 7_000 + index)));
  const fetches = (effects: readonly PeerEffect[]): number =>
    effects.filter(({ kind }) => kind === 'prefetch').length;
  const ends = (effects: readonly PeerEffect[]): PeerEffect[] =>
    effects.filter(({ kind }) => kind === 'soon-over');

  it('are fetched from whoever told of them, when it has greeted and has not left', () => {
    const stranger = listener(false);
    const soon = { kind: 'soon', job, blocks: hashes(3) } as const;
    const [closed] = stranger.device.hear(stranger.other, soon);
    expect(closed?.kind).toBe('close-link');

    const { device, other } = listener();
    const [block] = soon.blocks;
    expect(device.hear(other, soon)).toContainEqual({ kind: 'prefetch', from: other, job, block });

    const { net, device: third, other: gone } = listener();
    third.hear(gone, soon);
    const leaver = net.add(1);
    leaver.publish({ kind: 'leave' });
    const entries = [...net.written.values()];
    const left = third.input({ kind: 'entries-checked', from: gone, entries, more: false });
    expect(ends(left)).toEqual([{ kind: 'soon-over', from: gone, job }]);
    expect(third.hear(gone, soon)).toMatchObject([{ kind: 'close-link' }]);
  });

  it('take half of the room, count as room that fragments can have, and are given up for one', () => {
    const manifest = manifestOf(deviceAt(1).deviceId);
    const fragmentBytes = heldBytesOf(manifest);
    const blockCount = Math.ceil(fragmentBytes / BLOCK_BYTES);
    const { device, other, fileId } = asked(2 * blockCount * BLOCK_BYTES);
    const told = device.hear(other, { kind: 'soon', job, blocks: hashes(2 * blockCount) });
    expect(fetches(told)).toBe(blockCount);
    for (const block of hashes(blockCount))
      device.input({ kind: 'prefetched', from: other, job, block, outcome: 'here' });
    // The disk is measured with these blocks on it.
    device.input({ kind: 'space', freeBytes: blockCount * BLOCK_BYTES });
    expect(ends(device.hear(other, asking(fileId, 0)))).toEqual([]);
    const second = device.hear(other, asking(fileId, 1));
    expect(refusals(second, other)).toEqual([]);
    expect(ends(second)).toEqual([{ kind: 'soon-over', from: other, job }]);
  });

  it('are given up when their job is over, and some time after the last that was heard of it', () => {
    const { net, device, other } = listener();
    device.hear(other, { kind: 'soon', job, blocks: hashes(1) });
    expect(device.hear(other, { kind: 'soon-over', job })).toEqual([{ kind: 'soon-over', from: other, job }]);
    device.hear(other, { kind: 'soon', job, blocks: hashes(2) });
    device.input({ kind: 'link-down', device: other });
    device.effects.length = 0;
    net.pass(SOON_KEEP_MS);
    expect(ends(device.effects)).toEqual([{ kind: 'soon-over', from: other, job }]);
  });

  it('are told a message’s worth at a time, to devices that are reachable', () => {
    const { device, other } = listener();
    const blocks = hashes(100);
    const away = deviceAt(3).deviceId;
    expect(device.input({ kind: 'foretell', job, to: away, blocks })).toEqual([]);
    const told = messagesOf(device.input({ kind: 'foretell', job, to: other, blocks }), other, 'soon');
    expect(told).toEqual([
      { kind: 'soon', job, blocks: blocks.slice(0, 64) },
      { kind: 'soon', job, blocks: blocks.slice(64) },
    ]);
  });

  it('are over for each device once it holds its fragments, which are those that were planned for it', () => {
    const { net, devices } = poolOf(4);
    const storer = itemAt(devices, 0);
    const manifest = manifestOf(storer.id);
    const { homes, early } = storer.peer.planHomes(manifest);
    expect(homes.size).toBe(manifest.n);
    expect(early).toEqual(new Set(devices.slice(1).map(({ id }) => id)));
    for (const to of early) storer.input({ kind: 'foretell', job, to, blocks: hashes(1) });
    // Meanwhile another device came, to which fragments would go now.
    net.link(storer, net.add(4));
    net.pass(A_MOMENT_MS);
    expect(storer.peer.planHomes(manifest).homes).not.toEqual(homes);
    const { fileId } = storer.store('early', {}, { job, homes });
    const overs = (): DeviceId[] => [...early].filter((to) => storer.sentTo(to, 'soon-over').length > 0);
    expect(overs()).toEqual([]);
    net.pass(A_MOMENT_MS);
    expect(new Set(overs())).toEqual(early);
    for (const to of early) {
      const planned = [...homes].flatMap(([fragment, home]) => (home === to ? [fragment] : []));
      expect(storer.peer.holdersOf(fileId).get(to)).toEqual(new Set(planned));
      expect(storer.sentTo(to, 'soon-over')).toEqual([{ kind: 'soon-over', job }]);
    }
  });

  it('of an earlier page are over for whoever is linked, when that store is given up', () => {
    const { devices } = poolOf(3);
    const [storer, one, other] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    const effects = storer.input({ kind: 'abandoned', job });
    for (const to of [one.id, other.id]) {
      expect(messagesOf(effects, to, 'soon-over')).toEqual([{ kind: 'soon-over', job }]);
    }
  });

  it('are over for all when there will be no file; whoever is away hears of it when it is back', () => {
    const { net, devices } = poolOf(3);
    const [storer, one, other] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    for (const to of [one.id, other.id]) storer.input({ kind: 'foretell', job, to, blocks: hashes(1) });
    net.unlink(storer.id, other.id);
    const effects = storer.input({ kind: 'soon-over', job });
    expect(messagesOf(effects, one.id, 'soon-over')).toHaveLength(1);
    expect(storer.sentTo(other.id, 'soon-over')).toEqual([]);
    net.link(storer, other);
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(1);
    expect(storer.input({ kind: 'soon-over', job })).toEqual([]);
  });

  it('of a file that is removed while it is placed are over too', () => {
    const { net, devices } = poolOf(2);
    const [storer, other] = [itemAt(devices, 0), itemAt(devices, 1)];
    storer.input({ kind: 'foretell', job, to: other.id, blocks: hashes(1) });
    net.arrives = ({ kind }) => kind !== 'place';
    const { fileId } = storer.store('removed', {}, { job, homes: new Map([[0, other.id]]) });
    net.settle();
    expect(storer.sentTo(other.id, 'soon-over')).toEqual([]);
    storer.publish({ kind: 'remove', file: fileId });
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(1);
  });

  it('of many stores that failed while a device was away are told it as far as it can remember', () => {
    const { net, devices } = poolOf(2);
    const [storer, other] = [itemAt(devices, 0), itemAt(devices, 1)];
    const jobs = indicesOf(MAX_FORETOLD_JOBS + 3).map((index) => parseJobId(seededBytes(16, 700 + index)));
    for (const one of jobs) storer.input({ kind: 'foretell', job: one, to: other.id, blocks: hashes(1) });
    net.unlink(storer.id, other.id);
    for (const one of jobs) storer.input({ kind: 'soon-over', job: one });
    net.link(storer, other);
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(MAX_FORETOLD_JOBS);
  });

  it('are planned for devices with room for their share twice', () => {
    const { net, devices } = poolOf(3);
    const [storer, narrow] = [itemAt(devices, 0), itemAt(devices, 1)];
    const manifest = manifestOf(storer.id);
    narrow.input({ kind: 'space', freeBytes: 3 * heldBytesOf(manifest) });
    net.pass(A_MOMENT_MS);
    const { homes, early } = storer.peer.planHomes(manifest);
    expect([...homes.values()].filter((home) => home === narrow.id)).toHaveLength(2);
    expect(early).toEqual(new Set([itemAt(devices, 2).id]));
  });
});

describe('removal', () => {
  it('drops the fragments everywhere, and the outbox with them', () => {
    const { net, devices } = poolOf(3);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { fileId } = a.store('short-lived');
    net.pass(A_MOMENT_MS);
    expect(a.peer.own.heldBytes).toBeGreaterThan(0);
    b.publish({ kind: 'remove', file: fileId });
    net.pass(A_MOMENT_MS);
    for (const { peer } of devices) {
      expect([peer.own.of(fileId).size, peer.own.heldBytes, peer.inOutbox(fileId)]).toEqual([0, 0, false]);
      expect(peer.holdersOf(fileId).size).toBe(0);
    }
  });

  it('of a file that is still being placed ends that', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId } = a.store('x');
    a.publish({ kind: 'remove', file: fileId });
    expect(a.effects.at(-1)?.kind).not.toBe('pull');
    expect([a.peer.inOutbox(fileId), a.peer.own.of(fileId).size]).toEqual([false, 0]);
    expect(a.effects.some((effect) => effect.kind === 'outbox-done' && effect.surplus.length === 8)).toBe(
      true,
    );
  });

  it('drops a fragment that arrives after it', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId, manifest } = a.store('x');
    a.publish({ kind: 'remove', file: fileId });
    a.hold(fileId, manifest, 2);
    expect(a.peer.own.of(fileId).size).toBe(0);
  });
});

describe('requests', () => {
  const hash = parseBlockHash(seededBytes(32, 1));

  it('to a device that is not reachable fail at once', () => {
    const { device, other } = listener(false);
    const ask = { kind: 'get-block', hash } as const;
    expect(device.input({ kind: 'request', ticket: 4, to: other, ask })).toEqual([
      { kind: 'answer', ticket: 4, result: { kind: 'failed', reason: 'link-closed' } },
    ]);
  });

  it('end with their link', () => {
    const { device, other } = listener();
    device.input({ kind: 'request', ticket: 4, to: other, ask: { kind: 'get-block', hash } });
    expect(device.input({ kind: 'link-down', device: other })).toContainEqual({
      kind: 'answer',
      ticket: 4,
      result: { kind: 'failed', reason: 'link-closed' },
    });
  });

  it('of others are served up to a bound; beyond it the device is busy, until one was served', () => {
    const { device, other } = listener();
    for (let id = 1; id <= MAX_OPEN_REQUESTS; id++)
      expect(device.hear(other, { kind: 'get-block', id, hash })).toMatchObject([
        { kind: 'serve', to: other, id },
      ]);
    expect(device.hear(other, { kind: 'get-block', id: 1_000, hash })).toMatchObject([
      { kind: 'send', message: { kind: 'failed', id: 1_000, reason: 'busy' } },
    ]);
    device.input({ kind: 'served', to: other, id: 5 });
    expect(device.hear(other, { kind: 'get-block', id: 1_001, hash })).toMatchObject([
      { kind: 'serve', id: 1_001 },
    ]);
  });

  it('that were cancelled are stopped, and count until they are', () => {
    const { device, other } = listener();
    for (let id = 1; id <= MAX_OPEN_REQUESTS; id++) device.hear(other, { kind: 'get-block', id, hash });
    expect(device.hear(other, { kind: 'cancel', id: 7 })).toEqual([
      { kind: 'stop-serving', to: other, id: 7 },
    ]);
    expect(device.hear(other, { kind: 'cancel', id: 999 })).toEqual([]);
    expect(device.hear(other, { kind: 'get-block', id: 100, hash })).toMatchObject([{ kind: 'send' }]);
    device.input({ kind: 'served', to: other, id: 7 });
    expect(device.hear(other, { kind: 'get-block', id: 101, hash })).toMatchObject([{ kind: 'serve' }]);
  });

  it('with a number that is in use close the link', () => {
    const { device, other } = listener();
    device.hear(other, { kind: 'get-block', id: 1, hash });
    expect(device.hear(other, { kind: 'get-block', id: 1, hash })).toMatchObject([{ kind: 'close-link' }]);
  });

  it('of a device that went are not served any longer', () => {
    const { device, other } = listener();
    device.hear(other, { kind: 'get-index', id: 3, file: fileIdAt(0), fragment: 0 });
    expect(device.input({ kind: 'link-down', device: other })).toContainEqual({
      kind: 'stop-serving',
      to: other,
      id: 3,
    });
  });
});

function asObject(holders: ReadonlyMap<DeviceId, ReadonlySet<number>>): unknown {
  return Object.fromEntries(
    [...holders].map(([device, set]) => [device, [...set].toSorted((a, b) => a - b)]),
  );
}
