// The page's side of WebTorrent: seeds a file, and downloads one from another page.

export interface TorrentPage {
  /** Seeds `bytes` of `palmTest.seededBytes`; returns the torrent file as base64 once it is hashed. */
  seed(seed: number, bytes: number, trackerUrl: string): Promise<string>;
  /** Downloads all of a torrent, and forgets it. */
  download(torrentBase64: string): Promise<TorrentDownload>;
}

export interface TorrentDownload {
  /**
   * From the seeder's permission to ask (BitTorrent's unchoke) to the last piece checked, without tracker,
   * connection and handshake.
   */
  readonly elapsedMs: number;
  /** From `download` on, including all of that. */
  readonly sinceAskedMs: number;
  readonly sha256: string;
}

/** The part of WebTorrent 3 that is used; it has no types of its own. */
interface Client {
  seed(
    file: File,
    options: { readonly announce: readonly string[] },
    onSeed: (torrent: Torrent) => void,
  ): Torrent;
  add(torrentFile: Uint8Array, options: { readonly destroyStoreOnDestroy: boolean }): Torrent;
  remove(torrent: Torrent, options: { readonly destroyStore: boolean }, onRemoved: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

interface Torrent {
  readonly torrentFile: Uint8Array;
  readonly files: readonly { blob(): Promise<Blob> }[];
  on(event: 'wire', listener: (wire: { once(event: 'unchoke', listener: () => void): void }) => void): void;
  once(event: 'done', listener: () => void): void;
}

declare global {
  interface Window {
    torrentPage: TorrentPage;
    readonly WebTorrent: new () => Client;
  }
}

/**
 * Runs in the page after WebTorrent's script and `palmTest`, as source text, so it refers to nothing outside
 * itself.
 */
export function installTorrentPage(): void {
  const client = new window.WebTorrent();
  client.on('error', (error) => console.error(error));
  const base64Of = (bytes: Uint8Array) =>
    btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

  window.torrentPage = {
    async seed(seed, bytes, trackerUrl) {
      const file = new File([window.palmTest.seededBytes(seed, bytes)], 'bench.bin');
      const torrent = await new Promise<Torrent>((resolve) => {
        client.seed(file, { announce: [trackerUrl] }, resolve);
      });
      return base64Of(torrent.torrentFile);
    },
    async download(torrentBase64) {
      const askedMs = performance.now();
      let unchokedMs = Infinity;
      const torrent = client.add(bytesOf(torrentBase64), { destroyStoreOnDestroy: true });
      torrent.on('wire', (wire) => {
        wire.once('unchoke', () => {
          unchokedMs = Math.min(unchokedMs, performance.now());
        });
      });
      await new Promise<void>((resolve) => torrent.once('done', resolve));
      const doneMs = performance.now();
      const [file] = torrent.files;
      if (file === undefined) throw new Error('the torrent has no file');
      const { sha256 } = await window.palmTest.readAll(
        new Response(await file.blob()).body ?? new ReadableStream(),
      );
      await new Promise<void>((resolve) => client.remove(torrent, { destroyStore: true }, resolve));
      return { elapsedMs: doneMs - unchokedMs, sinceAskedMs: doneMs - askedMs, sha256 };
    },
  };
}

/**
 * Makes WebTorrent keep files in memory instead of on the disk. Runs before WebTorrent's script, as source
 * text.
 */
export function forbidDisk(): void {
  Reflect.deleteProperty(StorageManager.prototype, 'getDirectory');
}
