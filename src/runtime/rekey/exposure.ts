// Which contents open under keys that somebody knows who was shut out. No record says which epoch sealed it,
// so each manifest is tried once with the keys that are known; under AES-GCM only the right one opens it.

import { decodeEntry } from '../../core/catalogue/entry.ts';
import { openManifest } from '../../core/catalogue/manifest.ts';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { FileId } from '../../core/model/ids.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { PoolKeys } from '../../core/model/pool-keys.ts';
import type { Cryptography } from '../../core/ports.ts';
import type { Slices } from '../slices.ts';

export interface ExposurePorts {
  readonly catalogue: Pick<Catalogue, 'digest' | 'files' | 'missingFor'>;
  readonly acts: { digest(): string };
  readonly keys: KeyRing;
  readonly cryptography: Cryptography;
  readonly slices: Pick<Slices, 'next'>;
  /** Keys that only devices have that are in. */
  cleanKeys(): ReadonlySet<PoolKeys>;
}

const NONE: ReadonlySet<FileId> = new Set();

export class Exposure {
  readonly #ports: ExposurePorts;
  /** By content, the keys that opened its manifest; undefined if none did. */
  readonly #sealedWith = new Map<FileId, PoolKeys | undefined>();
  #exposed = NONE;
  #lookedAt = '';
  #isCurrentClean = true;

  constructor(ports: ExposurePorts) {
    this.#ports = ports;
  }

  /** Contents that were exposed at the last look and have a name still. */
  get exposed(): ReadonlySet<FileId> {
    return this.#exposed;
  }

  /** Whether what is stored now is not. */
  get isCurrentClean(): boolean {
    return this.#isCurrentClean;
  }

  /** Looks again, if anything changed. Returns whether it did. */
  async look(): Promise<boolean> {
    const { acts, catalogue, keys } = this.#ports;
    const known = keys.newestFirst;
    const now = `${acts.digest()} ${known.map(({ poolId }) => poolId).join()}`;
    const isAllClean = (clean: ReadonlySet<PoolKeys>): boolean => known.every((each) => clean.has(each));
    const state = `${now} ${keys.current.poolId} ${this.#exposed === NONE ? '' : catalogue.digest()}`;
    if (state === this.#lookedAt) return false;
    const clean = this.#ports.cleanKeys();
    this.#isCurrentClean = clean.has(keys.current);
    this.#exposed = isAllClean(clean) ? NONE : await this.#among(clean);
    this.#lookedAt = `${now} ${keys.current.poolId} ${this.#exposed === NONE ? '' : catalogue.digest()}`;
    return true;
  }

  async #among(clean: ReadonlySet<PoolKeys>): Promise<ReadonlySet<FileId>> {
    const { catalogue, slices } = this.#ports;
    // A copy: the catalogue may change in between.
    for (const entry of Array.from(catalogue.missingFor([]))) {
      if (entry.kind !== 'file' || entry.fileId === undefined || this.#sealedWith.has(entry.fileId)) continue;
      await slices.next();
      this.#sealedWith.set(entry.fileId, await this.#keysOf(entry.bytes));
    }
    const isExposed = (content: FileId): boolean => {
      const keys = this.#sealedWith.get(content);
      return keys === undefined || !clean.has(keys);
    };
    return new Set([...catalogue.files().keys()].filter(isExposed));
  }

  async #keysOf(bytes: Uint8Array): Promise<PoolKeys | undefined> {
    const { keys, cryptography } = this.#ports;
    const { body } = decodeEntry(bytes);
    if (body.kind !== 'file') return undefined;
    for (const each of keys.newestFirst) {
      try {
        await openManifest(body.manifest, [each.catalogueKey], keys.poolId, cryptography);
        return each;
      } catch (error) {
        if (!isPalmError(error, 'bad-message')) throw error;
      }
    }
    return undefined;
  }
}
