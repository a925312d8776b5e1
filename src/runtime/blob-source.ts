// A Blob or File as the source of a store. A File that changes on disk while it is read fails its slices.

import { PalmError } from '../core/model/errors.ts';
import type { ByteSource } from '../core/ports.ts';

export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        throw changed(cause);
      }
      if (bytes.length !== end - start) throw changed();
      return bytes;
    },
  };
}

function changed(cause?: unknown): PalmError {
  const text =
    'The file changed or became unreadable while it was being stored. Nothing of it was kept; add it again to store it as it is now.';
  return new PalmError('source-changed', text, cause === undefined ? undefined : { cause });
}
