// Files that are asked for by the IPFS CID of their bytes. The CID of a file is the word of who gave its
// name, so what comes is held against it.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { sameCid } from '../../core/model/content-cid.ts';
import type { FileStatus } from '../../runtime/api.ts';
import { cidOfBytes } from '../device/file-cid.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { words } from '../words.ts';

/** The CID that `name` is, in its one text; undefined for another name. */
export function cidIn(name: string): string | undefined {
  return sameCid(name.replace(/^ipfs:\/\//u, ''));
}

/** The CID by which `name` means `file`, if it does. */
export function askedCid(name: string, { fileId, cid }: FileStatus): string | undefined {
  const asked = cidIn(name);
  return asked !== undefined && name !== fileId && sameCid(cid ?? '') === asked ? asked : undefined;
}

/** @throws CommandError unless `bytes` have the CID; what reading them throws. */
export async function checkCid(bytes: AsyncIterable<Uint8Array>, cid: string): Promise<void> {
  if (sameCid(await cidOfBytes(bytes)) !== cid)
    throw new CommandError(words.anotherCid, EXIT.notReadable, 'corrupt');
}

/** Passes `chunks` on. @throws CommandError after the last of them unless they have the CID. */
export async function* checkedByCid(
  chunks: AsyncIterable<Buffer>,
  cid: string | undefined,
): AsyncGenerator<Buffer> {
  if (cid === undefined) return yield* chunks;
  const copy = new PassThrough();
  const checked = checkCid(copy, cid);
  checked.catch(() => undefined); // awaited once all of them came
  try {
    for await (const chunk of chunks) {
      if (!copy.write(chunk)) await Promise.race([once(copy, 'drain'), checked]);
      yield chunk;
    }
    copy.end();
    await checked;
  } finally {
    copy.destroy();
  }
}
