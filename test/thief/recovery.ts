// Opens files with the loot from a profile, like a thief who knows Palm's formats: it combines key shares,
// derives keys, finds blocks by their hashes and decrypts segments (FORMATS.md, "A file"). It uses none of
// Palm's code.

import { BlockFinder } from './block-finder.ts';
import { byteListIn, bytesIn, type CborMap, isMap, numberIn, readCbor, textIn, writeList } from './cbor.ts';
import { combine, dataBlocks } from './field.ts';
import { dataKeyOf, fileIdOf, hkdf, openSealed, poolKeysOf, type PoolKeys } from './keys.ts';
import { type Layer, layersOf } from './layers.ts';
import { carve, type FoundIndex, type FoundJournal, type Loot } from './loot.ts';

const GCM_TAG_BYTES = 16;
/** Limit of guesses at a file's shared key, when shares have lost their file. */
const MAX_GUESSES = 2_000;

/** The result for one file. */
export interface RobbedFile {
  /** Its id, or `store ` and the id of an unpublished store. */
  readonly id: string;
  readonly isPrivate: boolean;
  /** Undefined if it could not be read. */
  readonly name: string | undefined;
  readonly size: number;
  readonly k: number;
  /** True when the link key was found, in a manifest, a link or a journal. */
  readonly hasLinkKey: boolean;
  /** Numbers of the fragments whose key shares were found. */
  readonly shares: readonly number[];
  /** True when the shared key was found: from k shares, a journal, or anything else. */
  readonly hasSharedKey: boolean;
  /** The key of its segments, verified on one of them. */
  readonly dataKey: Buffer | undefined;
  /** Segments of which k blocks were found. */
  readonly segmentsFound: number;
  readonly segmentsOpened: number;
  readonly segmentCount: number;
  /** The whole content, when every segment was opened. */
  readonly plain: Buffer | undefined;
}

export interface Haul {
  readonly layers: readonly Layer[];
  readonly loot: Loot;
  readonly files: readonly RobbedFile[];
}

/**
 * Reads everything in `folders`, from a profile whose browser has ended, and opens what can be opened.
 * `linkKeys` are Kc of file links that the thief has from elsewhere.
 */
export function robFolders(folders: readonly string[], linkKeys: readonly Buffer[] = []): Haul {
  return rob(folders.flatMap(layersOf), linkKeys);
}

export function rob(layers: readonly Layer[], linkKeys: readonly Buffer[] = []): Haul {
  const carved = carve(layers);
  const given = linkKeys.map((kc) => ({ kc, where: 'given' }));
  const loot = { ...carved, linkKeys: [...carved.linkKeys, ...given] };
  const thief = new Thief(loot, new BlockFinder(layers));
  return { layers, loot, files: thief.files() };
}

/** A file as described by its manifest, or the journal. */
interface Target {
  readonly id: string;
  readonly isPrivate: boolean;
  readonly name: string | undefined;
  readonly size: number;
  readonly k: number;
  readonly n: number;
  readonly blockBytes: number;
  readonly salt: Buffer;
  readonly kc: Buffer | undefined;
  /** Found as a whole. */
  readonly kq: Buffer | undefined;
  readonly indexes: ReadonlyMap<number, FoundIndex>;
  /** Block hashes by fragment number and segment, from any source. */
  readonly hashes: ReadonlyMap<number, ReadonlyMap<number, Buffer>>;
}

class Thief {
  readonly #loot: Loot;
  readonly #blocks: BlockFinder;
  readonly #pools: readonly PoolKeys[];

  constructor(loot: Loot, blocks: BlockFinder) {
    this.#loot = loot;
    this.#blocks = blocks;
    this.#pools = [
      ...loot.poolSecrets.map(({ secret, epoch }) => poolKeysOf(secret, epoch)),
      ...loot.loose.map(({ bytes }) => poolKeysOf(bytes, 0)),
    ];
  }

  files(): RobbedFile[] {
    const published = this.#loot.sealedManifests.flatMap(({ sealed }) => this.#publishedFile(sealed));
    const salts = new Set(published.map(({ salt }) => salt.toString('hex')));
    const unpublished = this.#loot.journals.flatMap((journal) =>
      journal.salt === undefined || salts.has(journal.salt.toString('hex'))
        ? []
        : [this.#unpublishedFile(journal, journal.salt)],
    );
    return [...published, ...unpublished].map((target) => this.#open(target));
  }

  #publishedFile(sealed: Buffer): Target[] {
    const manifest = this.#openManifest(sealed);
    const access = manifest?.get('access');
    if (manifest === undefined || !isMap(access)) return [];
    const salt = Buffer.from(bytesIn(manifest, 'salt') ?? []);
    const id = fileIdOf(sealed);
    const journal = this.#loot.journals.find((one) => one.salt?.equals(salt) === true);
    const isPrivate = textIn(access, 'kind') === 'private';
    const details = isPrivate ? this.#openDetails(access, salt) : undefined;
    const kc = isPrivate ? details?.kc : bytesIn(access, 'kc');
    const name = isPrivate ? details?.name : textIn(access, 'name');
    const digests = byteListIn(manifest, 'fragments').map((cid) =>
      Buffer.from(cid.subarray(4)).toString('hex'),
    );
    const indexes = new Map(
      this.#loot.indexes.flatMap((index) =>
        index.digest !== undefined && digests[index.fragment] === index.digest
          ? [[index.fragment, index]]
          : [],
      ),
    );
    const geometry = geometryOf(manifest);
    return [
      {
        id,
        isPrivate,
        name: name ?? journal?.name,
        ...geometry,
        salt,
        kc: kc === undefined ? journal?.kc : Buffer.from(kc),
        kq: journal?.kq,
        indexes,
        hashes: this.#hashesOf(id, journal?.storeId, indexes),
      },
    ];
  }

  #unpublishedFile(journal: FoundJournal, salt: Buffer): Target {
    const { storeId, name, size, k, n, blockBytes, kc, kq } = journal;
    const indexes = new Map<number, FoundIndex>();
    const hashes = this.#hashesOf(undefined, storeId, indexes);
    const id = `store ${storeId}`;
    return { id, isPrivate: false, name, size, k, n, blockBytes, salt, kc, kq, indexes, hashes };
  }

  #openManifest(sealed: Buffer): CborMap | undefined {
    for (const { poolId, catalogueKey } of this.#pools) {
      const aad = `palm/v1/manifest/${poolId}`;
      const plain = openSealed(catalogueKey, sealed.subarray(0, 12), aad, sealed.subarray(12));
      const manifest = plain && readCbor(plain)?.value;
      if (isMap(manifest)) return manifest;
    }
    return undefined;
  }

  /** A private file's name, with any key that opens it. */
  #openDetails(
    access: CborMap,
    salt: Buffer,
  ): { readonly name: string | undefined; readonly kc: Buffer } | undefined {
    const sealed = bytesIn(access, 'sealed');
    if (sealed === undefined) return undefined;
    const keys = [
      ...this.#loot.linkKeys.map(({ kc }) => kc),
      ...this.#loot.journals.flatMap(({ kc }) => (kc === undefined ? [] : [kc])),
      ...this.#loot.loose.map(({ bytes }) => bytes),
    ];
    for (const kc of keys) {
      const key = hkdf(kc, salt, 'palm/v1/private-details', 32);
      const plain = openSealed(key, Buffer.alloc(12), 'palm/v1/private-details', sealed);
      const details = plain && readCbor(plain)?.value;
      if (isMap(details)) return { name: textIn(details, 'name'), kc };
    }
    return undefined;
  }

  #hashesOf(
    fileId: string | undefined,
    storeId: string | undefined,
    indexes: ReadonlyMap<number, FoundIndex>,
  ): Target['hashes'] {
    const hashes = new Map<number, Map<number, Buffer>>();
    const note = (fragment: number, segment: number, hash: Buffer): void => {
      const ofFragment = hashes.get(fragment) ?? new Map<number, Buffer>();
      hashes.set(fragment, ofFragment.set(segment, hash));
    };
    for (const { fragment, blocks } of indexes.values())
      blocks.forEach((hash, segment) => note(fragment, segment, hash));
    for (const row of this.#loot.fragments)
      if (row.fileId === fileId) row.blocks.forEach((hash, segment) => note(row.fragment, segment, hash));
    for (const row of this.#loot.segments)
      if (row.storeId === storeId) row.blocks.forEach((hash, fragment) => note(fragment, row.segment, hash));
    return hashes;
  }

  #open(target: Target): RobbedFile {
    const segmentCount = segmentCountOf(target);
    const sealed = Array.from({ length: segmentCount }, (_, segment) => this.#sealedSegment(target, segment));
    const found = sealed.findIndex((segment) => segment !== undefined);
    const sample = sealed[found];
    const dataKey = sample && this.#dataKeyOf(target, found, sample);
    const opened = sealed.map((segment, at) =>
      segment === undefined || dataKey === undefined ? undefined : openSegment(target, at, segment, dataKey),
    );
    const plain = opened.filter((segment) => segment !== undefined);
    return {
      id: target.id,
      isPrivate: target.isPrivate,
      name: target.name,
      size: target.size,
      k: target.k,
      hasLinkKey: target.kc !== undefined,
      shares: [...target.indexes.keys()].toSorted((a, b) => a - b),
      hasSharedKey: target.kq !== undefined || target.indexes.size >= target.k || dataKey !== undefined,
      dataKey,
      segmentsFound: sealed.filter((segment) => segment !== undefined).length,
      segmentsOpened: plain.length,
      segmentCount,
      plain: plain.length === segmentCount ? Buffer.concat(plain) : undefined,
    };
  }

  /** A segment's ciphertext from k of its blocks. */
  #sealedSegment(target: Target, segment: number): Buffer | undefined {
    const sealedBytes = segmentBytesOf(target, segment) + GCM_TAG_BYTES;
    const blockBytes = Math.ceil(sealedBytes / target.k);
    const blocks = new Map<number, Buffer>();
    for (const [fragment, bySegment] of [...target.hashes].toSorted(([a], [b]) => a - b)) {
      const hash = bySegment.get(segment);
      const block = hash && this.#blocks.find(hash, blockBytes);
      if (block !== undefined) blocks.set(fragment, block);
    }
    return blocks.size < target.k ? undefined : dataBlocks(blocks, target.k).subarray(0, sealedBytes);
  }

  /** The key that opens a segment, among all that can be derived from the loot. */
  #dataKeyOf(target: Target, segment: number, sealed: Buffer): Buffer | undefined {
    const opens = (key: Buffer): boolean => openSegment(target, segment, sealed, key) !== undefined;
    const linkKeys = target.kc === undefined ? this.#loot.loose.map(({ bytes }) => bytes) : [target.kc];
    for (const kq of this.#sharedKeysOf(target)) {
      const key = linkKeys.map((kc) => dataKeyOf(kc, kq, target.salt)).find(opens);
      if (key !== undefined) return key;
    }
    return this.#loot.loose.map(({ bytes }) => bytes).find(opens);
  }

  /**
   * Candidates for Kq: found as such, combined from k shares, or guessed with shares that have lost their
   * file.
   */
  *#sharedKeysOf(target: Target): Generator<Buffer> {
    if (target.kq !== undefined) yield target.kq;
    const shares = new Map([...target.indexes].map(([fragment, { share }]) => [fragment, share]));
    const strays = this.#loot.indexes.filter(({ digest }) => digest === undefined);
    let guessCount = 0;
    for (const guess of sharesCompleted(shares, strays, target.k)) {
      yield combine(guess);
      if (++guessCount >= MAX_GUESSES) break;
    }
    if (target.kc !== undefined) yield* this.#loot.loose.map(({ bytes }) => bytes);
  }
}

/** Sets of k shares: the known ones, filled up with strays. */
function* sharesCompleted(
  shares: ReadonlyMap<number, Buffer>,
  strays: readonly FoundIndex[],
  k: number,
): Generator<ReadonlyMap<number, Buffer>> {
  if (shares.size >= k) {
    yield new Map([...shares].slice(0, k));
    return;
  }
  for (const [at, { fragment, share }] of strays.entries())
    if (!shares.has(fragment))
      yield* sharesCompleted(new Map([...shares, [fragment, share]]), strays.slice(at + 1), k);
}

function openSegment(target: Target, segment: number, sealed: Buffer, dataKey: Buffer): Buffer | undefined {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(segment, 8);
  const aad = writeList([target.salt, segment, segmentCountOf(target), target.k, target.n]);
  return openSealed(dataKey, nonce, aad, sealed);
}

function geometryOf(manifest: CborMap): Pick<Target, 'size' | 'k' | 'n' | 'blockBytes'> {
  const of = (key: string): number => numberIn(manifest, key) ?? 0;
  return { size: of('size'), k: of('k'), n: of('n'), blockBytes: of('blockBytes') };
}

function segmentCountOf({ size, k, blockBytes }: Pick<Target, 'size' | 'k' | 'blockBytes'>): number {
  return Math.max(1, Math.ceil(size / (k * blockBytes - GCM_TAG_BYTES)));
}

function segmentBytesOf(target: Pick<Target, 'size' | 'k' | 'blockBytes'>, segment: number): number {
  const full = target.k * target.blockBytes - GCM_TAG_BYTES;
  return segment < segmentCountOf(target) - 1 ? full : target.size - segment * full;
}
