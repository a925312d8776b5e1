// What this page knows of private files that it stored or opened: their details and the keys in their links.
// Never written anywhere.

import { openDetails, type Manifest } from '../core/catalogue/manifest.ts';
import { PalmError } from '../core/model/errors.ts';
import type { FileDetails } from '../core/model/file-details.ts';
import type { FileId } from '../core/model/ids.ts';
import { decodeFileLink } from '../core/model/invite.ts';
import type { Cryptography } from '../core/ports.ts';

export class PrivateFiles {
  readonly #cryptography: Cryptography;
  readonly #details = new Map<FileId, FileDetails>();
  readonly #linkKeys = new Map<FileId, Uint8Array>();

  constructor(cryptography: Cryptography) {
    this.#cryptography = cryptography;
  }

  detailsOf(fileId: FileId): FileDetails | undefined {
    return this.#details.get(fileId);
  }

  keep(fileId: FileId, linkKey: Uint8Array, details: FileDetails): void {
    this.#details.set(fileId, details);
    this.#linkKeys.set(fileId, linkKey);
  }

  /** @throws PalmError 'link-needed' when `linkKey` does not open the file's details. */
  async open(fileId: FileId, { access, salt }: Manifest, linkKey: Uint8Array): Promise<void> {
    if (access.kind === 'pool') return;
    this.keep(fileId, linkKey, await openDetails(access.sealed, linkKey, salt, this.#cryptography));
  }

  /**
   * The key in a file's link: of a private file from `link`, or as this page knows it.
   * @throws PalmError 'link-needed', 'bad-invite'.
   */
  async linkKeyOf(fileId: FileId, manifest: Manifest, link: string | undefined): Promise<Uint8Array> {
    if (manifest.access.kind === 'pool') return manifest.access.linkKey;
    const known = this.#linkKeys.get(fileId);
    if (link === undefined) {
      if (known !== undefined) return known;
      throw new PalmError({ code: 'link-needed', reason: 'no-link' });
    }
    const given = decodeFileLink(link);
    if (given.fileId !== fileId) throw new PalmError({ code: 'link-needed', reason: 'of-another-file' });
    await this.open(fileId, manifest, given.linkKey);
    return given.linkKey;
  }
}
