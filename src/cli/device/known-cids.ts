// Which CIDs this device knows to be true. A name's CID is the word of who gave the name; this device
// believes it once it computed the same from the file's bytes: when it added them, or before it first serves
// them by their CID. That is kept in memory alone: on the disk it would be a hash of plaintext, which must be
// erasable, and a process of a device that is always on lasts.

import { sameCid } from '../../core/model/content-cid.ts';
import type { FileStatus, Palm } from '../../runtime/api.ts';
import { cidOfBytes } from './file-cid.ts';
import { namedByCid } from './named-by-cid.ts';

/** Each is some 130 bytes; the oldest go. */
const MAX_KNOWN = 10_000;
/** Whole reads at a time that only find something out. */
const MAX_CHECKS = 2;

interface Claim {
  readonly contentId: string;
  readonly cid?: string | undefined;
}

export class KnownCids {
  readonly #palm: Pick<Palm, 'read' | 'status' | 'rename'>;
  /** `content cid`, the newest last. */
  readonly #known = new Set<string>();
  /** Claims that were found to be false: they are not read again while this process runs. */
  readonly #false = new Set<string>();
  readonly #checking = new Map<string, Promise<boolean>>();

  constructor(palm: Pick<Palm, 'read' | 'status' | 'rename'>) {
    this.#palm = palm;
  }

  /** This device computed it. */
  learn(contentId: string, cid: string): void {
    const key = keyOf(contentId, cid);
    this.#known.delete(key);
    this.#known.add(key);
    for (const oldest of this.#known) if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest);
  }

  isKnown({ contentId, cid }: Claim): boolean {
    return cid !== undefined && this.#known.has(keyOf(contentId, cid));
  }

  /**
   * Whether the file has the CID that its name claims; undefined when too many others are being read to find
   * that out.
   * @throws what reading the file fails with.
   */
  async check({ fileId, contentId, cid }: Claim & { readonly fileId: string }): Promise<boolean | undefined> {
    if (cid === undefined) return false;
    if (this.isKnown({ contentId, cid })) return true;
    const key = keyOf(contentId, cid);
    if (this.#false.has(key)) return false;
    const running = this.#checking.get(key);
    if (running !== undefined) return running;
    if (this.#checking.size >= MAX_CHECKS) return undefined;
    const checking = this.#compute(fileId, contentId, cid).finally(() => this.#checking.delete(key));
    this.#checking.set(key, checking);
    return checking;
  }

  /** Of a file that is to be stored. @throws the signal's reason. */
  cidOf(file: Blob, signal: AbortSignal): Promise<string> {
    return cidOfBytes(file.stream(), signal);
  }

  /** The stored file has that CID, which this device computed. Returns the id of its name. */
  named(fileId: string, cid: string): Promise<string> {
    return namedByCid({ palm: this.#palm, cids: this }, fileId, cid);
  }

  /** The CIDs of all folders that have one, by their paths. */
  async folders(files: readonly FileStatus[]): Promise<ReadonlyMap<string, string>> {
    if (files.every(({ cid }) => cid === undefined)) return new Map();
    const { folderCids } = await import('./folder-cid.ts');
    return folderCids(files);
  }

  async #compute(fileId: string, contentId: string, cid: string): Promise<boolean> {
    const found = await cidOfBytes(piecesOf(this.#palm.read(fileId)));
    const isTrue = sameCid(found) === sameCid(cid);
    if (isTrue) this.learn(contentId, cid);
    else if (this.#false.size < MAX_KNOWN) this.#false.add(keyOf(contentId, cid));
    return isTrue;
  }
}

function keyOf(contentId: string, cid: string): string {
  return `${contentId} ${sameCid(cid) ?? ''}`;
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
