// The IPFS CID of a file, as Kubo's default import gives it: the profile `unixfs-v0-2015` of IPIP-499, with
// chunks of 256 KiB in dag-pb leaves, up to 174 links a node, balanced, and a CID of version 0.

import type { ImporterOptions } from 'ipfs-unixfs-importer';

const OPTIONS: ImporterOptions = { profile: 'unixfs-v0-2015' };

/** Nothing is kept of the blocks: only their hashes are wanted. */
const NOWHERE = { put: async <Cid>(cid: Cid): Promise<Cid> => cid };

/** Reads all of `bytes`, a chunk at a time. @throws what reading throws; the signal's reason. */
export async function cidOfBytes(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<string> {
  // Few want a CID, and it is some hundred modules.
  const { importByteStream } = await import('ipfs-unixfs-importer');
  const { cid } = await importByteStream(untilAborted(bytes, signal), NOWHERE, OPTIONS);
  return cid.toString();
}

async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    yield piece;
  }
}
