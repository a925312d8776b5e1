// What downloads need from the platform: a disk to gather on, and a browser to hand the whole file to. Types
// only.

/** A download of an earlier page, or one handed over lately. */
export interface SavedDownload {
  readonly fileId: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * 'kept': gathers where Palm keeps it until it is handed over. 'picked': goes straight to a file that the
   * person chose.
   */
  readonly destination: 'kept' | 'picked';
  /** Bytes from the beginning that are on the disk. */
  readonly durableBytes: number;
  /** When it was handed to the browser, whole, ms since the Unix epoch; undefined while it is unfinished. */
  readonly handedAtMs: number | undefined;
}

/** Where a download's bytes go, in order. One call at a time; after an error it can only be released. */
export interface DownloadSink {
  /** Bytes from the file's beginning that were written; those of earlier pages included. */
  readonly writtenBytes: number;
  /** Of these, the ones that outlive this page. */
  readonly durableBytes: number;
  /** Takes ownership of `piece`: its buffer may be transferred. */
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything durable, and closes. */
  finish(): Promise<void>;
  /** Closes, with as much made durable as can be. Never rejects. */
  release(): Promise<void>;
}

/**
 * Unfinished downloads on this device's disk. Methods for one file must not overlap. All throw PalmError
 * 'storage-full' or 'storage-failed', writing also 'worker-failed'.
 */
export interface DownloadStore {
  /** What earlier pages left, the oldest first; whatever else they left is deleted. */
  list(): Promise<readonly SavedDownload[]>;
  /** Records a download that begins now; `picked` is undefined for one that is kept. */
  begin(download: {
    readonly fileId: string;
    readonly size: number;
    readonly startedAtMs: number;
    readonly picked: FileSystemFileHandle | undefined;
  }): Promise<void>;
  /**
   * Opens a recorded download where it stopped. @throws PalmError also 'unsupported' where large files cannot
   * be kept, 'refused' while a page that is closing has it open.
   */
  open(fileId: string): Promise<DownloadSink>;
  /** Whether its file may be written now. With `ask`, within a gesture, the browser asks the person. */
  mayWrite(fileId: string, ask: boolean): Promise<boolean>;
  /** A finished kept file, on disk. */
  file(fileId: string): Promise<Blob>;
  markHanded(fileId: string, handedAtMs: number): Promise<void>;
  /** Forgets a finished download and leaves its file. */
  forget(fileId: string): Promise<void>;
  /** Deletes a download with what arrived of it. */
  drop(fileId: string): Promise<void>;
}

/** The browser, at both ends of a download. */
export interface BrowserSaving {
  /**
   * Lets the person pick a file to save to; undefined where the browser has no such picker, or does not open
   * it now. Call it within a gesture. @throws DOMException 'AbortError' when the person closes it.
   */
  pick(suggestedName: string): Promise<FileSystemFileHandle | undefined>;
  /** Hands `whole` to the browser's downloads. It must stay readable for some time. */
  download(whole: Blob, name: string): void;
}
