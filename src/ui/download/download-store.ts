// What downloads need from the platform: a disk to gather on, and a browser that takes the whole file. Types
// only.

import type { WallMs } from '../../core/model/time.ts';

/** A download of an earlier page, or a recently delivered one. */
export interface SavedDownload {
  readonly fileId: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * 'kept': gathers where Palm keeps it until it is delivered. 'picked': goes straight to a file that the
   * person chose.
   */
  readonly destination: 'kept' | 'picked';
  /** Bytes from the beginning that are on the disk. */
  readonly durableBytes: number;
  /**
   * When it was delivered to the browser, whole, ms since the Unix epoch; undefined while it is unfinished.
   */
  readonly handedAtMs: WallMs | undefined;
}

/** Where a download's bytes go, in order. One call at a time; after an error it can only be released. */
export interface DownloadSink {
  /** Bytes written from the file's beginning, including those of earlier pages. */
  readonly writtenBytes: number;
  /** The part of these that survives this page. */
  readonly durableBytes: number;
  /** Takes ownership of `piece`: its buffer may be transferred. */
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything durable, and closes. */
  finish(): Promise<void>;
  /** Closes, after making as much as possible durable. Never rejects. */
  release(): Promise<void>;
}

/**
 * Unfinished downloads on this device's disk. Methods for one file must not overlap. All throw PalmError
 * 'storage-full' or 'storage-failed', writing also 'worker-failed'.
 */
export interface DownloadStore {
  /** Downloads that earlier pages left, oldest first. Everything else that they left is deleted. */
  list(): Promise<readonly SavedDownload[]>;
  /** Records a download that begins now; `picked` is undefined for one that is kept. */
  begin(download: {
    readonly fileId: string;
    readonly size: number;
    readonly startedAtMs: WallMs;
    readonly picked: FileSystemFileHandle | undefined;
  }): Promise<void>;
  /**
   * Opens a recorded download where it stopped. @throws PalmError also 'unsupported' where large files cannot
   * be kept, 'refused' while a closing page has it open.
   */
  open(fileId: string): Promise<DownloadSink>;
  /** Whether its file may be written now. With `ask`, within a gesture, the browser asks the person. */
  mayWrite(fileId: string, ask: boolean): Promise<boolean>;
  /** A finished kept file, on disk. */
  file(fileId: string): Promise<Blob>;
  markHanded(fileId: string, handedAtMs: WallMs): Promise<void>;
  /** Forgets a finished download and leaves its file. */
  forget(fileId: string): Promise<void>;
  /** Deletes a download and the bytes that arrived. */
  drop(fileId: string): Promise<void>;
}

/** The browser, at both ends of a download. */
export interface BrowserSaving {
  /**
   * Lets the person pick a file to save to; undefined where the browser has no such picker, or cannot open it
   * now. Call it within a gesture. @throws DOMException 'AbortError' when the person closes it.
   */
  pick(suggestedName: string): Promise<FileSystemFileHandle | undefined>;
  /** Delivers `whole` to the browser's downloads. It must stay readable for some time. */
  download(whole: Blob, name: string): void;
}
