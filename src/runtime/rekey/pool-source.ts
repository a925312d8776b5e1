// A content of the pool as the source of a store: what is stored anew is what the pool gives, checked as any
// read is. Read as one stream, and again from where it is needed.
//
// Invariant: reads are carried out one at a time, in the order of the calls.

import type { Manifest } from '../../core/catalogue/manifest.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import type { ByteSource } from '../../core/ports.ts';
import type { ReadPorts } from '../read/read-job.ts';
import { readFile } from '../read/reading.ts';
import type { LinkShare } from '../repair/link-share.ts';

interface PoolContent {
  readonly fileId: FileId;
  readonly manifest: Manifest;
  /** Kc. */
  readonly linkKey: Uint8Array;
}

export class PoolSource implements ByteSource {
  readonly size: number;
  /** Every block is checked against its hash. */
  readonly noticesChanges = true;
  readonly #content: PoolContent;
  readonly #ports: ReadPorts;
  readonly #share: Pick<LinkShare, 'spend' | 'ready'>;
  /** Devices that gave blocks. */
  readonly #sources = new Set<DeviceId>();
  readonly #ended = new AbortController();
  #stream: { readonly pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>; at: number } | undefined;
  /** Settles when all earlier reads have; never rejects. */
  #before: Promise<unknown> = Promise.resolve();

  /** Reads wait until `share` lets them. */
  constructor(content: PoolContent, ports: ReadPorts, share: Pick<LinkShare, 'spend' | 'ready'>) {
    this.#content = content;
    this.#ports = ports;
    this.#share = share;
    this.size = content.manifest.size;
  }

  async checkUnchanged(): Promise<void> {
    // What the manifest names never changes.
  }

  /**
   * Whole segments. @throws PalmError 'not-enough-fragments', 'corrupt', 'removed-file'; the signal's reason.
   */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const reading = this.#before.then(() => this.#read(start, end, signal ?? this.#ended.signal));
    this.#before = reading.catch(() => undefined);
    return reading;
  }

  /** Nothing is read any more. */
  close(): void {
    this.#stream?.pieces.return().catch(() => undefined);
    this.#stream = undefined;
  }

  async #read(start: number, end: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (start === end) return new Uint8Array();
    await this.#share.ready(this.#sources, signal);
    if (this.#stream?.at !== start) {
      this.close();
      this.#stream = { pieces: this.#piecesFrom(start, signal), at: start };
    }
    const stream = this.#stream;
    try {
      const { value } = await stream.pieces.next();
      if (value?.length !== end - start) throw new Error('pieces are segments');
      stream.at = end;
      return value;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #piecesFrom(start: number, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    const self = this.#ports.driver.deviceId;
    const read = {
      ...this.#content,
      start,
      end: this.size,
      signal,
      arrived: (blocks: Iterable<{ readonly device: DeviceId; readonly bytes: Uint8Array }>): void => {
        for (const { device, bytes } of blocks) {
          if (device === self) continue;
          this.#sources.add(device);
          this.#share.spend(device, bytes.length);
        }
      },
    };
    return readFile(read, this.#ports);
  }
}
