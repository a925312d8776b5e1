// Downloads on this device's disk: which are unfinished, where their bytes go, and how they end. A large file
// gathers in OPFS, or in a file that the person picked, never in memory.
//
// A kept file is plaintext: it is overwritten before it is removed. Its record goes first, so that the next
// page erases it if a crash interrupts the erasing.
//
// Invariants: a download is one tab's at a time; every file in the folder has a record, or is erased after
// the next `list`; a record never claims bytes that are not durable; a download continues at the lesser of
// what its record and its file say.

import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { type FileId, parseFileId } from '../../../core/model/ids.ts';
import type { DownloadClaims } from './download-claims.ts';
import { Erasures } from './erasures.ts';
import type { DownloadRecord, DownloadRecords, RecordedDestination } from './opfs-records.ts';
import { type FileSink, KeptSink, type OnDurable, orPalmError, PickedSink } from './opfs-sinks.ts';
import type { OpfsWriter } from './opfs-writer.ts';
import { originFolder } from '../store/origin-folder.ts';

/** Shared with opfs.worker.ts, which writes the files in it. */
const FOLDER = 'downloads';

/** A download of an earlier page, or a recently delivered one. */
export interface SavedDownload {
  readonly fileId: string;
  readonly size: number;
  readonly destination: RecordedDestination['kind'];
  readonly durableBytes: number;
  readonly handedAtMs: number | undefined;
}

export interface NewDownload {
  readonly fileId: string;
  readonly size: number;
  readonly startedAtMs: number;
  /** The file that the person picked; undefined for OPFS. */
  readonly picked: FileSystemFileHandle | undefined;
}

/** File System Access (WICG), which TypeScript's DOM library lacks: only Chromium has these. */
interface PickedHandle extends FileSystemFileHandle {
  queryPermission?(descriptor: { mode: 'readwrite' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'readwrite' }): Promise<PermissionState>;
  remove?(): Promise<void>;
}

/**
 * One for a page. Methods for one file must not overlap. Every method throws PalmError 'storage-failed' or
 * 'storage-full'.
 */
export class OpfsDownloads {
  readonly #records: DownloadRecords;
  readonly #writer: OpfsWriter;
  readonly #claims: DownloadClaims;
  readonly #known = new Map<FileId, DownloadRecord>();
  readonly #erasures = new Erasures((name) => this.#eraseKept(name));

  constructor(records: DownloadRecords, writer: OpfsWriter, claims: DownloadClaims) {
    this.#records = records;
    this.#writer = writer;
    this.#claims = claims;
  }

  /**
   * Downloads of this tab, and those that ended pages left, oldest first: they are this tab's from now on.
   * Files without a record are erased in the background.
   */
  async list(): Promise<SavedDownload[]> {
    const records = await this.#records.load();
    await Promise.all(records.map(({ fileId }) => this.#claims.take(fileId)));
    // Again: another tab may have changed or ended those that this one had to wait for.
    for (const record of await this.#records.load())
      if (this.#claims.has(record.fileId)) this.#known.set(record.fileId, record);
    await this.#sweep();
    return [...this.#known.values()].map((record) => {
      const { fileId, size, durableBytes, handedAtMs } = record;
      return { fileId, size, destination: record.destination.kind, durableBytes, handedAtMs };
    });
  }

  /**
   * Records a download that begins now. It replaces any earlier one of the same file.
   * @throws PalmError also 'other-tab' while another tab downloads it.
   */
  async begin({ fileId, size, startedAtMs, picked }: NewDownload): Promise<void> {
    if (!(await this.#claims.take(fileId)))
      throw new PalmError({ code: 'other-tab', reason: 'download-there' });
    const destination: RecordedDestination =
      picked === undefined ? { kind: 'kept' } : { kind: 'picked', handle: picked, modifiedMs: 0 };
    await this.#put({
      fileId: parseFileId(fileId),
      size,
      destination,
      durableBytes: 0,
      startedAtMs,
      handedAtMs: undefined,
    });
  }

  /**
   * Opens a recorded download for writing, where it stopped.
   * @throws PalmError also 'unsupported' where OPFS cannot be written in place, 'refused' while another page
   * has the file open, 'worker-failed'.
   */
  async open(fileId: string): Promise<FileSink> {
    const record = this.#record(fileId);
    const { destination } = record;
    if (destination.kind === 'kept') {
      const onDurable: OnDurable = (durableBytes) => this.#update(fileId, { durableBytes });
      await this.#erasures.settled(fileId);
      const startBytes = await this.#writer.open(fileId, record.durableBytes);
      return new KeptSink(this.#writer, fileId, startBytes, onDurable);
    }
    const { handle } = destination;
    const file = await orPalmError(() => handle.getFile());
    // Somebody else changed it: Palm's bytes may be gone, and all of it is replaced.
    const isOurs = file.size === record.durableBytes && file.lastModified === destination.modifiedMs;
    return new PickedSink(handle, isOurs ? record.durableBytes : 0, (durableBytes, modifiedMs) =>
      this.#update(fileId, { durableBytes, destination: { kind: 'picked', handle, modifiedMs } }),
    );
  }

  /**
   * Whether Palm may write to the download's file now; in OPFS always. With `ask` the browser may ask the
   * person, but only within a gesture.
   */
  async mayWrite(fileId: string, ask: boolean): Promise<boolean> {
    const { destination } = this.#record(fileId);
    if (destination.kind === 'kept') return true;
    const handle: PickedHandle = destination.handle;
    const mode = { mode: 'readwrite' } as const;
    const state = await orPalmError(async () => {
      const now = (await handle.queryPermission?.(mode)) ?? 'granted';
      return now === 'granted' || !ask ? now : ((await handle.requestPermission?.(mode)) ?? 'denied');
    });
    return state === 'granted';
  }

  /** The finished file in OPFS, on the disk, to be read as needed. */
  async file(fileId: string): Promise<File> {
    return orPalmError(async () => {
      const folder = await originFolder(FOLDER);
      if (folder === undefined) throw new DOMException('there is no folder of downloads', 'NotFoundError');
      return (await folder.getFileHandle(fileId)).getFile();
    });
  }

  async markHanded(fileId: string, handedAtMs: number): Promise<void> {
    await this.#update(fileId, { handedAtMs });
  }

  /** Forgets a finished download and leaves its file, which is the person's. */
  async forget(fileId: string): Promise<void> {
    const id = parseFileId(fileId);
    this.#known.delete(id);
    await this.#records.drop(id);
    this.#claims.free(id);
  }

  /**
   * Deletes the download and the bytes that arrived, including a picked file, and erases what Palm kept. It
   * must not be open.
   */
  async drop(fileId: string): Promise<void> {
    const id = parseFileId(fileId);
    const destination = this.#known.get(id)?.destination;
    this.#known.delete(id);
    await this.#records.drop(id);
    if (destination?.kind === 'kept') await this.#erasures.begin(fileId);
    this.#claims.free(id);
    if (destination?.kind === 'picked') await orPalmError(() => removePicked(destination.handle));
  }

  async #sweep(): Promise<void> {
    // Without OPFS there is nothing to sweep; `open` reports that to callers that want to write.
    const folder = await originFolder(FOLDER).catch(() => undefined);
    if (folder === undefined) return;
    const kept = new Set<string>();
    for (const { fileId, destination } of this.#known.values())
      if (destination.kind === 'kept') kept.add(fileId);
    await orPalmError(async () => {
      const names: string[] = [];
      for await (const name of folder.keys()) names.push(name);
      // After the names: whoever made a file had claimed it before.
      const taken = await this.#claims.taken();
      for (const name of names) {
        // The next page tries again to erase it.
        if (!kept.has(name) && !taken.has(name)) this.#erasures.begin(name).catch(() => undefined);
      }
    });
  }

  /** Where nothing can be overwritten in place, nothing was kept this way; any file there is removed. */
  async #eraseKept(name: string): Promise<void> {
    try {
      await this.#writer.erase(name);
    } catch (error) {
      if (!isPalmError(error, 'unsupported')) throw error;
    }
    await orPalmError(() => removeKept(name));
  }

  #record(fileId: string): DownloadRecord {
    const record = this.#known.get(parseFileId(fileId));
    if (record === undefined) throw new Error(`there is no download of ${fileId}`);
    return record;
  }

  async #update(
    fileId: string,
    change: Partial<Pick<DownloadRecord, 'durableBytes' | 'destination' | 'handedAtMs'>>,
  ): Promise<void> {
    await this.#put({ ...this.#record(fileId), ...change });
  }

  async #put(record: DownloadRecord): Promise<void> {
    await this.#records.put(record);
    this.#known.set(record.fileId, record);
  }
}

async function removeKept(name: string): Promise<void> {
  const folder = await originFolder(FOLDER);
  if (folder !== undefined) await unlessMissing(folder.removeEntry(name));
}

/** A file that cannot be removed is emptied: nothing may look like the whole. */
async function removePicked(handle: PickedHandle): Promise<void> {
  if (handle.remove === undefined) await (await handle.createWritable()).close();
  else await unlessMissing(handle.remove());
}

async function unlessMissing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NotFoundError') throw error;
  }
}
