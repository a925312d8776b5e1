// What people do to files that are there: take names away and change them, as far as this device may, and
// pin files to this device.

import { checkDetails } from '../core/catalogue/manifest.ts';
import { PalmError } from '../core/model/errors.ts';
import { heldBytesOf } from '../core/model/geometry.ts';
import type { FileId } from '../core/model/ids.ts';
import { fragmentCap } from '../core/model/limits.ts';
import type { RecordStore } from '../core/ports.ts';
import { askedFile } from './asked-file.ts';
import type { RenameOptions } from './file-api.ts';
import type { OfferedSpace } from './offered-space.ts';
import { logFull } from './peer/publishing.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import { PinnedFiles } from './pinned-files.ts';
import type { Roles } from './roles.ts';
import type { Naming } from './store/naming.ts';

export interface FileCarePorts {
  readonly driver: PeerDriver;
  readonly roles: Pick<Roles, 'checkedRemoval'>;
  readonly naming: Pick<Naming, 'remove' | 'rename'>;
  readonly records: Pick<RecordStore, 'getMeta' | 'putMeta'>;
  readonly space: Pick<OfferedSpace, 'measureSoon'>;
}

export class FileCare {
  readonly #ports: FileCarePorts;
  readonly #pinned: PinnedFiles;

  constructor(ports: FileCarePorts) {
    this.#ports = ports;
    this.#pinned = new PinnedFiles(ports.records, (files) => ports.driver.input({ kind: 'pins', files }));
  }

  /** What was pinned before. Returns how many rows cannot be read. */
  load(): Promise<number> {
    return this.#pinned.load();
  }

  /** @throws PalmError 'unknown-file', 'removed-file', 'storage-full'. */
  async pin(id: string): Promise<void> {
    const { peer } = this.#ports.driver;
    const { contentId, manifest } = askedFile(peer.catalogue, id);
    const lackedCount = fragmentCap(manifest.k) - peer.own.of(contentId).size;
    if (lackedCount * heldBytesOf(manifest) > peer.own.freeBytes || this.#pinned.isFull)
      throw new PalmError({ code: 'storage-full', reason: 'device' });
    await this.#setPin(contentId, true);
  }

  /** @throws PalmError 'unknown-file', 'removed-file'. */
  async unpin(id: string): Promise<void> {
    await this.#setPin(askedFile(this.#ports.driver.peer.catalogue, id).contentId, false);
  }

  #setPin(content: FileId, isPinned: boolean): Promise<void> {
    const { catalogue } = this.#ports.driver.peer;
    return this.#pinned.set(content, isPinned, (file) => catalogue.files().has(file));
  }

  /** @throws PalmError 'unknown-file', 'removed-file', 'not-allowed'. */
  async remove(id: string): Promise<void> {
    const { driver, roles, naming, space } = this.#ports;
    const listed = roles.checkedRemoval(askedFile(driver.peer.catalogue, id));
    await naming.remove(listed.fileId, listed.contentId);
    space.measureSoon();
  }

  /** @throws PalmError 'unknown-file', 'removed-file', 'not-allowed', 'bad-argument', 'log-full'. */
  async rename(id: string, name: string, { path, mime }: RenameOptions): Promise<{ fileId: string }> {
    const { driver, roles, naming } = this.#ports;
    const { catalogue } = driver.peer;
    const listed = roles.checkedRemoval(askedFile(catalogue, id));
    const before = listed.details();
    // Its name is sealed in its manifest, under the key that is in its link.
    if (before === undefined) throw new PalmError({ code: 'not-allowed', reason: 'private-name' });
    const details = { name, path: path ?? before.path, mime: mime ?? before.mime };
    checkDetails(details);
    if (catalogue.roomOf(driver.deviceId, 'file') <= 0) throw logFull(true);
    const fileId = await naming.rename(listed, details);
    if (fileId === undefined) throw new PalmError({ code: 'removed-file', reason: 'before' });
    return { fileId };
  }
}
