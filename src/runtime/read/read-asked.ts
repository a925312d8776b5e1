// A file, or a range of it, as somebody asks for it by its id: one transfer, from first piece to last.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { traceMarkIn } from '../../core/wire/trace-mark.ts';
import type { ReadOptions } from '../api.ts';
import { askedFile } from '../asked-file.ts';
import type { PrivateFiles } from '../private-files.ts';
import type { Transfers } from '../transfers.ts';
import { rangeOf } from './byte-range.ts';
import type { ReadPorts } from './read-job.ts';
import { readFile } from './reading.ts';

interface AskedPorts {
  readonly catalogue: Pick<Catalogue, 'listedFile' | 'isTaken'>;
  readonly privateFiles: PrivateFiles;
  readonly transfers: Transfers;
  readonly reading: ReadPorts;
  /** @throws the reason, once the pool was closed. */
  readonly checkOpen: () => void;
}

/**
 * `stopped` is called with the reason when the read is stopped from outside, even if no piece is awaited.
 * @throws PalmError at the first pull, for anything wrong with the arguments or the file.
 */
export async function* readAsked(
  id: string,
  options: ReadOptions,
  stopped: (error: unknown) => void,
  { catalogue, privateFiles, transfers, reading, checkOpen }: AskedPorts,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const { fileId, contentId, manifest, details } = askedFile(catalogue, id);
  const linkKey = await privateFiles.linkKeyOf(fileId, manifest, options.link);
  const { start, end } = rangeOf(manifest, options);
  const { name } = details() ?? privateFiles.detailsOf(fileId) ?? { name: '' };
  const { signal, traceparent } = options;
  const trace = traceparent === undefined ? undefined : traceMarkIn(traceparent);
  checkOpen();
  const transfer = transfers.begin({
    kind: 'read',
    name,
    phase: 'reading',
    totalBytes: end - start,
    signal,
  });
  transfer.enter('reading', end - start, fileId);
  const onAbort = (): void => stopped(transfer.signal.reason);
  transfer.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const job = { fileId: contentId, manifest, linkKey, start, end, signal: transfer.signal, trace };
    for await (const piece of readFile(job, reading)) {
      // The consumer owns the piece and may have transferred it by now, which would leave it empty.
      const pieceBytes = piece.length;
      yield piece;
      transfer.advance(pieceBytes);
    }
  } finally {
    transfer.signal.removeEventListener('abort', onAbort);
    transfer.end();
  }
}
