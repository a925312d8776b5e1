// Takes names of files away and changes them, as far as this device may.

import { checkDetails } from '../../core/catalogue/manifest.ts';
import { PalmError } from '../../core/model/errors.ts';
import { askedFile } from '../asked-file.ts';
import type { RenameOptions } from '../file-api.ts';
import type { OfferedSpace } from '../offered-space.ts';
import { logFull } from '../peer/publishing.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import type { Roles } from '../roles.ts';
import type { Naming } from './naming.ts';

export interface FileNamesPorts {
  readonly driver: PeerDriver;
  readonly roles: Pick<Roles, 'checkedRemoval'>;
  readonly naming: Pick<Naming, 'remove' | 'rename'>;
  readonly space: Pick<OfferedSpace, 'measureSoon'>;
}

export class FileNames {
  readonly #ports: FileNamesPorts;

  constructor(ports: FileNamesPorts) {
    this.#ports = ports;
  }

  /** @throws PalmError 'unknown-file', 'removed-file', 'not-allowed'. */
  async remove(id: string): Promise<void> {
    const { driver, roles, naming, space } = this.#ports;
    const listed = roles.checkedRemoval(askedFile(driver.peer.catalogue, id));
    await naming.remove(listed.fileId, listed.contentId);
    space.measureSoon();
  }

  /** @throws PalmError 'unknown-file', 'removed-file', 'not-allowed', 'bad-argument', 'log-full'. */
  async rename(id: string, name: string, { path }: RenameOptions): Promise<{ fileId: string }> {
    const { driver, roles, naming } = this.#ports;
    const { catalogue } = driver.peer;
    const listed = roles.checkedRemoval(askedFile(catalogue, id));
    const before = listed.details();
    // Its name is sealed in its manifest, under the key that is in its link.
    if (before === undefined) throw new PalmError({ code: 'not-allowed', reason: 'private-name' });
    const details = { ...before, name, path: path ?? before.path };
    checkDetails(details);
    if (catalogue.roomOf(driver.deviceId, 'file') <= 0) throw logFull(true);
    const fileId = await naming.rename(listed, details);
    if (fileId === undefined) throw new PalmError({ code: 'removed-file', reason: 'before' });
    return { fileId };
  }
}
