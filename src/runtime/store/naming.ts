// Gives names to contents that the pool has already, and takes names away.
//
// Only the last name goes with a removal that devices without further names know too: they drop the fragments
// at once. So whatever depends on a content's other names is decided for one call after another.

import type { ListedFile } from '../../core/catalogue/file-index.ts';
import type { FileDetails } from '../../core/model/file-details.ts';
import { sealFileName, type FileName } from '../../core/catalogue/file-name.ts';
import { UNDATED_MS } from '../../core/catalogue/manifest.ts';
import { fileIdOf, type FileId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { WallMs } from '../../core/model/time.ts';
import type { Clock, Cryptography, Random } from '../../core/ports.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import { withReserve } from '../reserved-space.ts';
import type { Quota } from '../runtime-ports.ts';

export interface NamingPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  readonly driver: PeerDriver;
  readonly keys: KeyRing;
  readonly quota: Pick<Quota, 'spendReserve' | 'restoreReserve'>;
}

export class Naming {
  readonly #ports: NamingPorts;
  /** By content, or by the tag of one that is being stored: the last call, settled or not. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(ports: NamingPorts) {
    this.#ports = ports;
  }

  /** Runs `work` once the calls with an equal `key` before it have ended. */
  async inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(key);
    const working = before === undefined ? work() : before.then(work);
    const ended = working.then(nothing, nothing);
    this.#turns.set(key, ended);
    try {
      return await working;
    } finally {
      if (this.#turns.get(key) === ended) this.#turns.delete(key);
    }
  }

  /**
   * Gives `content` the name of `details`, unless it has it. Returns the name's id, or undefined if the
   * content lost all of its names in the meantime. `atMs`: the date, of a name that moves here.
   */
  name(
    content: FileId,
    details: FileDetails,
    modifiedMs: number,
    atMs?: WallMs,
  ): Promise<FileId | undefined> {
    return this.inTurn(content, () => this.#name(content, details, modifiedMs, isSame, atMs));
  }

  /** Takes a name away. With the last one, the content goes. */
  remove(fileId: FileId, content: FileId): Promise<void> {
    return this.inTurn(content, () => this.#remove(fileId, content));
  }

  /**
   * Puts another name in the place of `fileId`: gives it, and only then takes the old one away, so that the
   * content is never without one. Returns the new name's id, or undefined if the old name was taken away in
   * the meantime.
   */
  rename(
    { fileId, contentId, modifiedMs }: Pick<ListedFile, 'fileId' | 'contentId' | 'modifiedMs'>,
    details: FileDetails,
  ): Promise<FileId | undefined> {
    const { catalogue } = this.#ports.driver.peer;
    return this.inTurn(contentId, async () => {
      if (!catalogue.namesOf(contentId).includes(fileId)) return undefined;
      const renamed = await this.#name(contentId, details, modifiedMs, isEqual);
      if (renamed !== fileId) await this.#remove(fileId, contentId);
      return renamed;
    });
  }

  /** `isTaken`: whether a name that is there will do. */
  async #name(
    content: FileId,
    details: FileDetails,
    modifiedMs: number,
    isTaken: typeof isSame,
    atMs?: WallMs,
  ): Promise<FileId | undefined> {
    const { clock, random, cryptography, driver, keys } = this.#ports;
    const { catalogue } = driver.peer;
    const names = catalogue.namesOf(content);
    const same = names.find((fileId) => {
      const listed = catalogue.listedFile(fileId);
      return listed?.atMs !== UNDATED_MS && isTaken(listed?.details(), details);
    });
    if (names.length === 0 || same !== undefined) return same;
    const name: FileName = {
      content,
      details,
      modifiedMs,
      by: driver.deviceId,
      atMs: atMs ?? catalogue.dateOfNextFile(clock.wallMs()),
    };
    const nonce = random.bytes(12);
    const sealed = await sealFileName(name, keys.current.catalogueKey, keys.poolId, nonce, cryptography);
    await driver.publish({ kind: 'name', sealed });
    return fileIdOf(sealed);
  }

  async #remove(fileId: FileId, content: FileId): Promise<void> {
    const { driver, quota } = this.#ports;
    const { catalogue } = driver.peer;
    const names = catalogue.namesOf(content);
    if (!names.includes(fileId)) return;
    const isLast = names.length === 1;
    const kind = fileId === content && !isLast ? 'unname' : 'remove';
    await withReserve(quota, () => driver.publish({ kind, file: fileId }));
    // Second: a crash in between keeps fragments, where the other order would lose some of a named content.
    if (isLast && !catalogue.isRemovedForAll(content))
      await withReserve(quota, () => driver.publish({ kind: 'remove', file: content }));
  }
}

function isSame(details: FileDetails | undefined, { name, path }: FileDetails): boolean {
  return details?.name === name && details.path === path;
}

function isEqual(details: FileDetails | undefined, wanted: FileDetails): boolean {
  return isSame(details, wanted) && details?.mime === wanted.mime;
}

function nothing(): void {
  // Whoever called gets the result and the failure.
}
