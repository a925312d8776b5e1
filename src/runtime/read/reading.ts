// Reads one file, or a range of it, as a stream: gathers its segments and opens them ahead of the reader, who
// gets them in order. Each block is checked against its hash before its segment is opened. Memory holds at
// most a window of segments.

import { deriveFileKey } from '../../core/coding/file-key.ts';
import { combineShares } from '../../core/coding/shamir.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { plainBytesOf, segmentBytesOf, segmentCountOf, segmentsWith } from '../../core/model/geometry.ts';
import type { ReadJob, ReadPorts } from './read-job.ts';
import { SegmentGathering, type Arrived } from './segment-gathering.ts';
import { SegmentShelf } from './segment-shelf.ts';

/** Blocks requested ahead of the segment that is taken, 8 MiB; of a file of many fragments, segments. */
const WINDOW_BLOCKS = 32;
const MIN_WINDOW_SEGMENTS = 8;
/** Blocks opened at a time; the next segment, at least, travels to a worker while one is worked on. */
const OPENING_BLOCKS = 8;
const MIN_OPENING_SEGMENTS = 2;
/** Workers that may die over one segment before the read ends. */
const MAX_DEATHS = 3;
/**
 * The bytes start..end-1, in pieces of a segment at most. @throws PalmError 'not-enough-fragments',
 * 'corrupt'; 'worker-failed' and 'storage-failed' when this device itself fails; the signal's reason.
 */
export async function* readFile(
  job: ReadJob,
  ports: ReadPorts,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  if (job.start >= job.end) return;
  const session = new ReadSession(job, ports);
  try {
    yield* session.run();
  } finally {
    session.close();
  }
}

class ReadSession {
  readonly #job: ReadJob;
  readonly #ports: ReadPorts;
  readonly #gathering: SegmentGathering;
  readonly #firstSegment: number;
  readonly #endSegment: number;
  readonly #maxOpening: number;
  /** Complete segments that wait to be opened, in order. */
  readonly #unopened: { readonly segment: number; readonly blocks: ReadonlyMap<number, Arrived> }[] = [];
  #openingCount = 0;
  /** Opened segments that the reader has not taken. */
  readonly #opened = new SegmentShelf<Uint8Array<ArrayBuffer>>();
  /** By segment: workers that died over it. */
  readonly #deaths = new Map<number, number>();
  readonly #lifetime = new AbortController();
  #key: Uint8Array | undefined;

  constructor(job: ReadJob, ports: ReadPorts) {
    this.#job = job;
    this.#ports = ports;
    const segmentBytes = segmentBytesOf(job.manifest);
    this.#firstSegment = Math.floor(job.start / segmentBytes);
    this.#endSegment = Math.min(segmentCountOf(job.manifest), Math.ceil(job.end / segmentBytes));
    this.#maxOpening = segmentsWith(OPENING_BLOCKS, job.manifest, MIN_OPENING_SEGMENTS);
    const wanted = {
      fileId: job.fileId,
      manifest: job.manifest,
      firstSegment: this.#firstSegment,
      endSegment: this.#endSegment,
      windowSegments: segmentsWith(WINDOW_BLOCKS, job.manifest, MIN_WINDOW_SEGMENTS),
      trace: job.trace,
    };
    this.#gathering = new SegmentGathering(wanted, ports, {
      complete: (segment, blocks) => {
        job.arrived?.(blocks.values());
        this.#unopened.push({ segment, blocks });
        this.#openNext();
      },
      failed: (error) => this.#opened.fail(error),
    });
  }

  async *run(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    const onAbort = (): void => this.#opened.fail(this.#job.signal.reason);
    this.#job.signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#job.signal.throwIfAborted();
      this.#gathering.start();
      for (let segment = this.#firstSegment; segment < this.#endSegment; segment++) {
        const plain = await this.#opened.take(segment);
        this.#gathering.taken();
        const offset = segment * segmentBytesOf(this.#job.manifest);
        yield plain.subarray(
          Math.max(0, this.#job.start - offset),
          Math.min(plain.length, this.#job.end - offset),
        );
      }
    } finally {
      this.#job.signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#gathering.close();
    this.#lifetime.abort(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    this.#opened.clear();
  }

  /** Opens complete segments ahead of the reader, in the order in which they became complete. */
  #openNext(): void {
    while (this.#openingCount < this.#maxOpening && !this.#lifetime.signal.aborted) {
      const next = this.#unopened.shift();
      if (next === undefined) return;
      this.#openingCount += 1;
      const opening = this.#open(next.segment, next.blocks).finally(() => {
        this.#openingCount -= 1;
        this.#openNext();
      });
      this.#inBackground(opening);
    }
  }

  async #open(segment: number, arrived: ReadonlyMap<number, Arrived>): Promise<void> {
    const { manifest } = this.#job;
    const { signal } = this.#lifetime;
    const parameters = {
      key: this.#fileKey(),
      salt: manifest.salt,
      segmentIndex: segment,
      segmentCount: segmentCountOf(manifest),
      k: manifest.k,
      n: manifest.n,
    };
    const blocks = Array.from(arrived, ([index, { bytes, hash }]) => ({ index, bytes, hash }));
    try {
      const opening = await this.#ports.codec.open(
        parameters,
        blocks,
        plainBytesOf(manifest, segment),
        signal,
      );
      if (opening.kind === 'unsound') this.#gathering.unsound(segment, arrived, opening.sound);
      else this.#opened.put(segment, opening.plain);
    } catch (error) {
      if (signal.aborted) return;
      const deathCount = (this.#deaths.get(segment) ?? 0) + 1;
      if (!isPalmError(error, 'worker-failed') || deathCount === MAX_DEATHS) throw error;
      // The blocks were lost with the worker; the next attempt fetches new ones.
      this.#deaths.set(segment, deathCount);
      this.#gathering.lost(segment);
    }
  }

  /** Known once k indexes are. */
  #fileKey(): Uint8Array {
    this.#key ??= this.#combineKey();
    return this.#key;
  }

  #combineKey(): Uint8Array {
    const { manifest, linkKey } = this.#job;
    const shares = [...this.#gathering.indexes.values()].slice(0, manifest.k);
    const sharedKey = combineShares(shares.map(({ fragment, share }) => ({ index: fragment, share })));
    return deriveFileKey(linkKey, sharedKey, manifest.salt);
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#opened.fail(error));
  }
}
