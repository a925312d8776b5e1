// A file that was stored, and whose CID this device computed.

import { withCid } from '../../core/model/content-cid.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { Palm } from '../../runtime/api.ts';

interface NamingDevice {
  readonly palm: Pick<Palm, 'status' | 'rename'>;
  /** This device computed it. */
  readonly cids: { learn(contentId: string, cid: string): void };
}

/** Bytes that the pool had keep the type of their name: it gets the CID now. Returns the name's id. */
export async function namedByCid({ palm, cids }: NamingDevice, fileId: string, cid: string): Promise<string> {
  const listed = palm.status().files.find((file) => file.fileId === fileId);
  if (listed === undefined) return fileId;
  cids.learn(listed.contentId, cid);
  if (listed.cid === cid) return fileId;
  const { name, path, mime } = listed;
  try {
    return (await palm.rename(fileId, name, { path, mime: withCid(mime, cid) })).fileId;
  } catch (error) {
    // Another device's name stays as that one gave it.
    if (isPalmError(error, 'not-allowed')) return fileId;
    throw error;
  }
}
