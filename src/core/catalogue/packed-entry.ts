// An entry as the catalogue keeps it: one run of bytes, decoded field by field where it lies. As objects,
// with ids, keys and names, an entry takes twenty times its bytes, and a device has a hundred thousand of
// them.
//
//   offset  bytes  what (numbers are big-endian)
//   0       4      length of all of it
//   4       4      length of the record
//   8       1      kind, see KINDS
//   9       4      number in its log
//   13      8, 4   hybrid time: ms as a float, count
//   25      32     digest of the entry's id
//   57      32     of the device's id
//   89      32     of the id of the entry before it, zeros for the first
//   121     …      the record, and then what its kind has: a name; the removed file's digest; a file's digest
//                  and its manifest (packed-manifest.ts); or, of the kinds that came later, see LATER_KINDS
//
// The same bytes lie on the disk, sealed (runtime/peer/checked-records.ts), and were checked before they went
// there.

import type { FileDetails } from '../model/file-details.ts';
import { concatBytes, hexOf, utf8 } from '../model/bytes.ts';
import {
  deviceIdOfDigest,
  digestOf,
  entryIdOfDigest,
  fileIdOfDigest,
  type DeviceId,
  type EntryId,
  type FileId,
} from '../model/ids.ts';
import { DEVICE_CLASSES } from '../model/device-class.ts';
import { POLICY_PARTS, type PolicyPart, type PolicyParts } from '../model/policy.ts';
import { bad } from '../encoding/decode.ts';
import type { CheckedEntry } from './check.ts';
import type { HybridTime } from './clock.ts';
import type { EntryBody } from './entry.ts';
import type { FileName } from './file-name.ts';
import { hybridTimeAt, packDetails, packManifest, PackedManifest, unpackDetails } from './packed-manifest.ts';

const KINDS: readonly EntryBody['kind'][] = ['profile', 'pool', 'file', 'remove', 'leave', 'unknown'];
/**
 * Kinds that the first builds do not know. They are packed as 'unknown', so that such a build still opens a
 * bundle that has them, with a byte behind the record that gives the place in this list. Where that byte is
 * missing, such a build packed the entry, or nobody knows its kind.
 */
const LATER_KINDS: readonly EntryBody['kind'][] = ['unknown', 'name', 'unname', 'policy', 'live-invite'];

const RECORD_LENGTH_AT = 4;
const KIND_AT = 8;
const SEQ_AT = 9;
const TIME_AT = 13;
const ID_AT = 25;
const DEVICE_AT = 57;
const PREV_AT = 89;
const HEADER_BYTES = 121;
const DIGEST_BYTES = 32;
/** Of a name, from the byte of its kind: its digest, its content's, two times as floats, and its details. */
const NAME_AT = { id: 1, content: 33, modified: 65, stored: 73, details: 81 } as const;
/** Of a policy, from the byte of its kind: the graces as floats, the share, k and n. Zero: not set. */
const POLICY_AT = { alwaysOn: 1, laptop: 9, phone: 17, repairShare: 25, k: 29, n: 30 } as const;
const POLICY_BYTES = 31;
/** Behind that, if either is set: each plus one, as a float. */
const QUOTAS_AT = { storeBytes: 31, giveBytes: 39 } as const;
const POLICY_WITH_QUOTAS_BYTES = 47;
/** Behind that, if anchors are set, zeros standing for quotas: the digest of each. Behind them one byte. */
const ANCHORS_AT = POLICY_WITH_QUOTAS_BYTES;
/** Last, behind the quotas in any case: the age of keys, plus one, as a float. */
const ROTATION_BYTES = 8;

export function packEntry(checked: CheckedEntry): Uint8Array<ArrayBuffer> {
  const { entry } = checked;
  const extra = extraOf(entry.body, checked);
  const packed = new Uint8Array(HEADER_BYTES + entry.bytes.length + extra.length);
  const view = new DataView(packed.buffer);
  view.setUint32(0, packed.length);
  view.setUint32(RECORD_LENGTH_AT, entry.bytes.length);
  packed[KIND_AT] = KINDS.indexOf(KINDS.includes(entry.body.kind) ? entry.body.kind : 'unknown');
  view.setUint32(SEQ_AT, entry.seq);
  view.setFloat64(TIME_AT, entry.at.ms);
  view.setUint32(TIME_AT + 8, entry.at.count);
  packed.set(digestOf(entry.entryId), ID_AT);
  packed.set(digestOf(entry.deviceId), DEVICE_AT);
  if (entry.prev !== undefined) packed.set(digestOf(entry.prev), PREV_AT);
  packed.set(entry.bytes, HEADER_BYTES);
  packed.set(extra, HEADER_BYTES + entry.bytes.length);
  return packed;
}

function extraOf(body: EntryBody, { file, named }: CheckedEntry): Uint8Array {
  switch (body.kind) {
    case 'profile':
    case 'pool':
      return utf8(body.name);
    case 'remove':
      return digestOf(body.file);
    case 'file':
      return file === undefined ? new Uint8Array(0) : packManifest(digestOf(file.fileId), file.manifest);
    case 'name':
      // Checked, and without effect.
      return named === undefined ? laterKind('unknown') : packName(named.nameId, named.name);
    case 'unname':
      return concatBytes(laterKind(body.kind), digestOf(body.file));
    case 'policy':
      return packPolicy(body.parts);
    case 'live-invite':
      return laterKind(body.kind);
    case 'leave':
    case 'unknown':
      return new Uint8Array(0);
  }
}

function laterKind(kind: EntryBody['kind']): Uint8Array {
  return Uint8Array.of(LATER_KINDS.indexOf(kind));
}

function packName(nameId: FileId, { content, details, modifiedMs, atMs }: FileName): Uint8Array {
  const times = new Uint8Array(16);
  const view = new DataView(times.buffer);
  view.setFloat64(0, modifiedMs);
  view.setFloat64(8, atMs);
  return concatBytes(laterKind('name'), digestOf(nameId), digestOf(content), times, packDetails(details));
}

function packPolicy(parts: PolicyParts): Uint8Array {
  const { anchors, rotateEveryMs } = parts;
  const hasQuotas = [parts.storeBytes, parts.giveBytes, anchors, rotateEveryMs].some(
    (part) => part !== undefined,
  );
  const ofAnchors = anchors === undefined ? 0 : 1 + anchors.length * DIGEST_BYTES;
  const ofRotation = rotateEveryMs === undefined ? 0 : ROTATION_BYTES;
  const ofQuotas = hasQuotas ? POLICY_WITH_QUOTAS_BYTES : POLICY_BYTES;
  const packed = new Uint8Array(ofQuotas + ofAnchors + ofRotation);
  packed.set(laterKind('policy'));
  const view = new DataView(packed.buffer);
  for (const part of DEVICE_CLASSES) view.setFloat64(POLICY_AT[part], parts[part] ?? 0);
  view.setUint32(POLICY_AT.repairShare, parts.repairShare ?? 0);
  view.setUint8(POLICY_AT.k, parts.k ?? 0);
  view.setUint8(POLICY_AT.n, parts.n ?? 0);
  if (hasQuotas) {
    view.setFloat64(QUOTAS_AT.storeBytes, (parts.storeBytes ?? -1) + 1);
    view.setFloat64(QUOTAS_AT.giveBytes, (parts.giveBytes ?? -1) + 1);
  }
  for (const [at, device] of anchors?.entries() ?? [])
    packed.set(digestOf(device), ANCHORS_AT + at * DIGEST_BYTES);
  if (rotateEveryMs !== undefined) view.setFloat64(packed.length - ROTATION_BYTES, rotateEveryMs + 1);
  return packed;
}

/**
 * A packed entry in a larger run of bytes, which it keeps in memory. Everything but its id and number is
 * decoded on demand.
 */
export class PackedEntry {
  readonly entryId: EntryId;
  readonly seq: number;
  /** The log's device: one text for all entries of a log. */
  readonly deviceId: DeviceId;
  readonly run: Uint8Array;
  readonly #at: number;

  /** `run` has a packed entry at `at`. `deviceId`, if given, is the id behind its digest, as shared text. */
  constructor(run: Uint8Array, at: number, deviceId?: DeviceId) {
    this.run = run;
    this.#at = at;
    this.entryId = entryIdOfDigest(run, at + ID_AT);
    this.seq = uint32At(run, at + SEQ_AT);
    this.deviceId = deviceId ?? deviceIdOfDigest(run, at + DEVICE_AT);
  }

  get packedLength(): number {
    return uint32At(this.run, this.#at);
  }

  get packedBytes(): Uint8Array {
    return this.run.subarray(this.#at, this.#at + this.packedLength);
  }

  /** Bytes that count toward the log's quota. */
  get recordLength(): number {
    return uint32At(this.run, this.#at + RECORD_LENGTH_AT);
  }

  /** The record, as it is sent. */
  get bytes(): Uint8Array {
    const start = this.#at + HEADER_BYTES;
    return this.run.subarray(start, start + this.recordLength);
  }

  get kind(): EntryBody['kind'] {
    const kind = kindAt(this.run, this.#at);
    return kind === 'unknown' ? (LATER_KINDS[this.#extra[0] ?? 0] ?? kind) : kind;
  }

  /** Whether its kind was not known when it was checked. */
  get isUnread(): boolean {
    return kindAt(this.run, this.#at) === 'unknown' && this.#extra.length === 0;
  }

  get at(): HybridTime {
    return hybridTimeAt(this.run, this.#at + TIME_AT);
  }

  /** Undefined for the first of a log. */
  get prevId(): EntryId | undefined {
    return this.seq === 1 ? undefined : entryIdOfDigest(this.run, this.#at + PREV_AT);
  }

  /** Whether `before` is the entry before this one: compares as `prevId` would, without making texts. */
  follows(before: PackedEntry): boolean {
    return (
      before.seq === this.seq - 1 &&
      isSameDigest(this.run, this.#at + PREV_AT, before.run, before.#at + ID_AT)
    );
  }

  /** The first 8 bytes of the id's digest, in hexadecimal: enough to tell entries of one log apart. */
  get mark(): string {
    return hexOf(this.run.subarray(this.#at + ID_AT, this.#at + ID_AT + 8));
  }

  /** Of a profile or pool entry. */
  get name(): string {
    return new TextDecoder().decode(this.#extra);
  }

  /** Of a file, a name, or what takes one away; undefined for others. */
  get fileId(): FileId | undefined {
    const { kind } = this;
    if (kind !== 'file' && kind !== 'remove' && kind !== 'name' && kind !== 'unname') return undefined;
    const isLater = kind === 'name' || kind === 'unname';
    const digestAt = this.#at + HEADER_BYTES + this.recordLength + (isLater ? NAME_AT.id : 0);
    return digestAt + DIGEST_BYTES > this.#at + this.packedLength
      ? undefined
      : fileIdOfDigest(this.run, digestAt);
  }

  /** Of a file entry. */
  get manifest(): PackedManifest {
    const start = this.#at + HEADER_BYTES + this.recordLength + DIGEST_BYTES;
    return new PackedManifest(this.run, start, this.deviceId, this.#at + TIME_AT);
  }

  /** Of a name entry. */
  get fileName(): PackedName {
    const start = this.#at + HEADER_BYTES + this.recordLength;
    return new PackedName(this.run, start, this.deviceId, this.#at + TIME_AT);
  }

  /** Of a policy entry; none of any other. */
  get policyParts(): PolicyParts {
    const extra = this.#extra;
    if (this.kind !== 'policy' || extra.length < POLICY_BYTES) return {};
    const view = new DataView(extra.buffer, extra.byteOffset);
    const laterAt = (at: number): number | undefined =>
      at + 8 <= extra.length && view.getFloat64(at) > 0 ? view.getFloat64(at) - 1 : undefined;
    // Anchors are an odd number of bytes and the age of keys is eight, so the length tells which are there.
    const behind = Math.max(0, extra.length - ANCHORS_AT) % DIGEST_BYTES;
    const hasRotation = behind >= ROTATION_BYTES;
    const values: Record<PolicyPart, number | undefined> = {
      alwaysOn: unlessZero(view.getFloat64(POLICY_AT.alwaysOn)),
      laptop: unlessZero(view.getFloat64(POLICY_AT.laptop)),
      phone: unlessZero(view.getFloat64(POLICY_AT.phone)),
      repairShare: unlessZero(view.getUint32(POLICY_AT.repairShare)),
      k: unlessZero(view.getUint8(POLICY_AT.k)),
      n: unlessZero(view.getUint8(POLICY_AT.n)),
      storeBytes: laterAt(QUOTAS_AT.storeBytes),
      giveBytes: laterAt(QUOTAS_AT.giveBytes),
      rotateEveryMs: hasRotation ? laterAt(extra.length - ROTATION_BYTES) : undefined,
    };
    const parts: Partial<Record<PolicyPart, number>> = {};
    for (const part of POLICY_PARTS) {
      const value = values[part];
      if (value !== undefined) parts[part] = value;
    }
    if (behind % ROTATION_BYTES === 0) return parts;
    const count = Math.floor((extra.length - ANCHORS_AT) / DIGEST_BYTES);
    const anchors = Array.from({ length: count }, (_, at) =>
      deviceIdOfDigest(extra, ANCHORS_AT + at * DIGEST_BYTES),
    );
    return { ...parts, anchors };
  }

  get #extra(): Uint8Array {
    return this.packedBytes.subarray(HEADER_BYTES + this.recordLength);
  }
}

/** A file name where it lies, decoded on demand. */
export class PackedName implements FileName {
  /** Its entry's writer: check.ts makes sure of that. */
  readonly by: DeviceId;
  readonly #run: Uint8Array;
  readonly #at: number;
  readonly #timeAt: number;

  /** Its entry's hybrid time lies at `timeAt`. */
  constructor(run: Uint8Array, at: number, by: DeviceId, timeAt: number) {
    this.#run = run;
    this.#at = at;
    this.by = by;
    this.#timeAt = timeAt;
  }

  get publishedAt(): HybridTime {
    return hybridTimeAt(this.#run, this.#timeAt);
  }

  get content(): FileId {
    return fileIdOfDigest(this.#run, this.#at + NAME_AT.content);
  }

  get details(): FileDetails {
    return unpackDetails(this.#run, this.#at + NAME_AT.details);
  }

  get modifiedMs(): number {
    return this.#view.getFloat64(NAME_AT.modified);
  }

  get atMs(): number {
    return this.#view.getFloat64(NAME_AT.stored);
  }

  get #view(): DataView {
    return new DataView(this.#run.buffer, this.#run.byteOffset + this.#at);
  }
}

/** Device ids as text, each once: all entries of a log have the same. */
export class DeviceTexts {
  /** By the first bytes of the digest; an id made up to begin like another gets a text of its own. */
  readonly #known = new Map<number, { readonly digest: Uint8Array; readonly device: DeviceId }>();

  /** The id of the device whose digest is in `run` at `at`. */
  textAt(run: Uint8Array, at: number): DeviceId {
    const key = uint32At(run, at);
    const known = this.#known.get(key);
    if (known !== undefined && isSameDigest(run, at, known.digest)) return known.device;
    const device = deviceIdOfDigest(run, at);
    if (known === undefined) this.#known.set(key, { digest: run.slice(at, at + DIGEST_BYTES), device });
    return device;
  }
}

/** All entries of `run`, which are packed one after another. @throws PalmError 'bad-message' otherwise. */
export function unpackEntries(run: Uint8Array, devices = new DeviceTexts()): PackedEntry[] {
  const entries: PackedEntry[] = [];
  for (let at = 0; at < run.length;) {
    const byteCount = at + HEADER_BYTES > run.length ? 0 : uint32At(run, at);
    const recordBytes = byteCount === 0 ? 0 : uint32At(run, at + RECORD_LENGTH_AT);
    const isWhole = HEADER_BYTES + recordBytes <= byteCount && at + byteCount <= run.length;
    if (!isWhole || (run[at + KIND_AT] ?? 0) >= KINDS.length) throw bad('packed entries that are cut');
    entries.push(new PackedEntry(run, at, devices.textAt(run, at + DEVICE_AT)));
    at += byteCount;
  }
  return entries;
}

function unlessZero(value: number): number | undefined {
  return value === 0 ? undefined : value;
}

function isSameDigest(run: Uint8Array, at: number, other: Uint8Array, otherAt = 0): boolean {
  for (let offset = 0; offset < DIGEST_BYTES; offset++) {
    if (run[at + offset] !== other[otherAt + offset]) return false;
  }
  return true;
}

function kindAt(run: Uint8Array, at: number): EntryBody['kind'] {
  const kind = KINDS[run[at + KIND_AT] ?? KINDS.length];
  if (kind === undefined) throw bad('a packed entry of unknown kind');
  return kind;
}

function uint32At(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return a * 0x100_0000 + b * 0x1_0000 + c * 0x100 + d;
}
