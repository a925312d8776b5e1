// Stores one content of the pool anew: reads it as any reader does, seals it under keys of its own and those
// of the pool's present epoch, and leaves it to the outbox. Nobody sees its name until the old content's
// names move to it.

import type { ListedFile } from '../../core/catalogue/file-index.ts';
import { PalmError } from '../../core/model/errors.ts';
import { blockKey, type FileId } from '../../core/model/ids.ts';
import type { SegmentCodec } from '../../core/ports.ts';
import { logFull } from '../peer/publishing.ts';
import type { LinkShare } from '../repair/link-share.ts';
import type { StorePorts } from '../store/store-job.ts';
import { storeFile } from '../store/storing.ts';
import { Transfer } from '../transfers.ts';
import { PoolSource } from './pool-source.ts';

export interface RenewPorts extends StorePorts {
  readonly share: LinkShare;
}

export interface Renewing {
  /** One of the content's names: its details go into the manifest, in case this device never ends it. */
  readonly first: ListedFile;
  readonly isOld: (content: FileId) => boolean;
  readonly signal: AbortSignal;
  /** Gets the blocks that are sealed, as blockKey writes them. */
  readonly sealed: Set<string>;
  readonly advanced: (doneBytes: number, totalBytes: number) => void;
}

/** Returns the new content. @throws PalmError as reads and stores do; the signal's reason. */
export async function renew(
  { first, isOld, signal, sealed, advanced }: Renewing,
  ports: RenewPorts,
): Promise<FileId> {
  const { driver, share, clock } = ports;
  const { contentId, manifest, modifiedMs } = first;
  const details = first.details();
  if (manifest.access.kind !== 'pool' || details === undefined)
    throw new PalmError({ code: 'not-allowed', reason: 'private-file' });
  if (driver.peer.catalogue.roomOf(driver.deviceId, 'file') <= 0) throw logFull(true);
  const { size, k, n, blockBytes, access } = manifest;
  const source = new PoolSource({ fileId: contentId, manifest, linkKey: access.linkKey }, ports, share);
  const start = { kind: 'store', name: details.name, phase: 'sealing', totalBytes: size, signal } as const;
  const told = (): void => {
    const { phase, doneBytes, totalBytes } = transfer.status();
    if (phase === 'sealing') advanced(doneBytes, totalBytes);
  };
  const transfer: Transfer = new Transfer('', start, clock, told, () => undefined);
  try {
    const job = {
      source,
      geometry: { size, k, n, blockBytes },
      details,
      modifiedMs,
      isPrivate: false,
      handle: undefined,
      resumes: undefined,
      isPaced: true,
      transfer,
      renewal: { isOld },
    };
    const stored = await storeFile(job, { ...ports, codec: noting(ports.codec, sealed) });
    return stored.kind === 'known' ? stored.content : stored.fileId;
  } finally {
    source.close();
    transfer.end();
  }
}

/** The codec, noting the blocks that it seals. */
function noting(codec: SegmentCodec, sealed: Set<string>): SegmentCodec {
  return {
    hash: (...given) => codec.hash(...given),
    open: (...given) => codec.open(...given),
    rebuild: (...given) => codec.rebuild(...given),
    close: () => codec.close(),
    seal: async (...given) => {
      const segment = await codec.seal(...given);
      for (const hash of segment.hashes) sealed.add(blockKey(hash));
      return segment;
    },
  };
}
