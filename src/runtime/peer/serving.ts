// Answers requests from this device's own store, for others and for its own reads: fragment indexes, blocks,
// small fragments.
//
// Invariant: each `serve` tells core's peer 'served' once, however it ended.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { decodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { fragmentBytesOf } from '../../core/model/geometry.ts';
import type { BlockHash, DeviceId, FragmentId } from '../../core/model/ids.ts';
import type { TraceMark } from '../../core/wire/trace-mark.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import { ANSWER_TO } from '../../core/peer/requests.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { Clock, FragmentStore, Memory } from '../../core/ports.ts';
import type { Brought } from '../../core/lane-port.ts';
import type { Transport } from '../../core/transport-port.ts';
import { encodeMessage, type Failure } from '../../core/wire/messages.ts';
import type { Place } from '../../core/wire/places.ts';
import type { ServedAsk } from '../served-ask.ts';
import type { StagedFragments } from './staged-fragments.ts';
import {
  encodeSmallFragments,
  hasSmallFragments,
  MAX_SMALL_INDEX_BYTES,
  MAX_TOGETHER_BYTES,
  type SmallFragment,
} from '../../core/wire/fragment-batch.ts';

export interface ServingPorts {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly fragments: FragmentStore;
  readonly transport: Transport;
  readonly catalogue: Catalogue;
  readonly staged: StagedFragments;
  input(input: PeerInput): void;
  /** Brings a block by the lane to whoever asked for it: see Lanes. */
  bring(to: DeviceId, id: number, bytes: Uint8Array<ArrayBuffer>): Promise<Brought>;
  /** Is told each answer to an ask with a trace, also one that failed. */
  readonly served?: ((served: ServedAsk) => void) | undefined;
  /** Whether this must not be served now, because others are proving that they hold it. */
  withholds(ask: Ask | Place): boolean;
  /** A block that should be here is missing or damaged: fragments that need it no longer count. */
  blockLost(hash: BlockHash): Promise<void>;
  /** The fragment's index is missing or damaged: if the fragment counted, it no longer does. */
  indexLost(place: Place): Promise<void>;
}

/** A block was handed to the link with `to`. */
type ServeListener = (to: DeviceId, hash: BlockHash, bytes: number) => void;

/**
 * Minimum time between two searches for the fragment that lacks a block, ms: each reads every fragment index
 * here.
 */
const SEEK_EVERY_MS = 10_000;

export class Serving {
  readonly #ports: ServingPorts;
  /** By device and its request. */
  readonly #running = new Map<string, AbortController>();
  readonly #listeners = new Set<ServeListener>();
  /** When this device last searched for the fragment of a missing block, ms. */
  #soughtAtMs = -Infinity;

  constructor(ports: ServingPorts) {
    this.#ports = ports;
  }

  /** Calls `listener` after each block that was served singly. Returns the unsubscribe function. */
  watch(listener: ServeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The answer to `ask` from this device's own store; undefined when it is not here. Missing fragments are
   * left out.
   * @throws PalmError 'corrupt' once the damage was noted.
   */
  load(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#load(ask, false);
  }

  /**
   * As `load`, for what the index of a fragment that is held here names: that it is not here is damage, which
   * is noted each time.
   */
  loadHeld(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#load(ask, true);
  }

  async #load(ask: Ask, isHeld: boolean): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const bytes = await this.#stored(ask);
      if (bytes === undefined && ask.kind === 'get-block') await this.#blockMissing(ask.hash, isHeld);
      // Of a file that was just removed nothing is served, and nothing is lost.
      if (bytes === undefined && ask.kind === 'get-index' && this.#idOf(ask) !== undefined)
        await this.#ports.indexLost(ask);
      return bytes;
    } catch (error) {
      if (!isPalmError(error, 'corrupt')) throw error;
      if (ask.kind === 'get-block') await this.#ports.blockLost(ask.hash);
      if (ask.kind === 'get-index') await this.#ports.indexLost(ask);
      throw error;
    }
  }

  /** Sends what `to` asked for under `id`. @throws failures other than a missing or damaged block. */
  async serve(to: DeviceId, id: number, ask: Ask): Promise<void> {
    if (this.#ports.withholds(ask)) {
      this.#served(to, id, 'busy');
      return;
    }
    const key = `${to}/${id}`;
    const controller = new AbortController();
    this.#running.set(key, controller);
    const beganMs = this.#ports.clock.monotonicMs();
    let sentCount: number | undefined;
    try {
      const payload = await this.load(ask);
      const failure = payload === undefined ? 'absent' : undefined;
      if (payload !== undefined && !controller.signal.aborted) {
        const bytes = payload.length;
        await this.#hand(to, id, ask, payload, controller.signal);
        sentCount = bytes;
        if (ask.kind === 'get-block') this.#tellServed(to, ask.hash, bytes);
      }
      this.#served(to, id, controller.signal.aborted ? undefined : failure);
    } catch (error) {
      const isCancelled = isPalmError(error, 'link-closed') || isPalmError(error, 'cancelled');
      const isCorrupt = isPalmError(error, 'corrupt');
      this.#served(to, id, isCancelled ? undefined : isCorrupt ? 'corrupt' : 'storage');
      if (!isCancelled && !isCorrupt) throw error;
    } finally {
      this.#running.delete(key);
      if (ask.trace !== undefined) this.#tellTraced(to, ask.trace, sentCount, beganMs);
    }
  }

  /** The device no longer wants it. */
  stop(to: DeviceId, id: number): void {
    this.#running.get(`${to}/${id}`)?.abort(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
  }

  /** A block that `to` gets by the lane; undefined when it is not here, or not to be served now. */
  async lend(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const ask = { kind: 'get-block', hash } as const;
    if (this.#ports.withholds(ask)) return undefined;
    try {
      return await this.load(ask);
    } catch (error) {
      // The damage was noted; whoever asks over the link is told.
      if (isPalmError(error)) return undefined;
      throw error;
    }
  }

  /** Such a block was sent. */
  lent(to: DeviceId, hash: BlockHash, byteCount: number): void {
    this.#tellServed(to, hash, byteCount);
  }

  /** Sends it by the lane, or over the link. */
  async #hand(
    to: DeviceId,
    id: number,
    ask: Ask,
    payload: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const isBlock = ask.kind === 'get-block';
    const brought = isBlock ? await this.#ports.bring(to, id, payload) : { isTaken: false, bytes: payload };
    // Bytes that were on their way when the lane ended are gone with it.
    const left = isBlock && brought.bytes?.byteLength === 0 ? undefined : brought.bytes;
    const bytes = left ?? (brought.isTaken ? undefined : await this.load(ask));
    if (bytes === undefined) return;
    if (!brought.isTaken) {
      const message = encodeMessage({ kind: ANSWER_TO[ask.kind], id }, bytes);
      await this.#ports.transport.send(to, message, 'bulk', signal);
    }
    this.#ports.memory.give(bytes);
  }

  #tellServed(to: DeviceId, hash: BlockHash, byteCount: number): void {
    for (const listener of this.#listeners) listener(to, hash, byteCount);
  }

  #tellTraced(to: DeviceId, trace: TraceMark, sentCount: number | undefined, beganMs: number): void {
    const ms = this.#ports.clock.monotonicMs() - beganMs;
    const isWhole = sentCount !== undefined;
    this.#ports.served?.({ to, trace, byteCount: sentCount ?? 0, isWhole, ms });
  }

  #served(to: DeviceId, id: number, failure: Failure | undefined): void {
    this.#ports.input({ kind: 'served', to, id, ...(failure === undefined ? {} : { failure }) });
  }

  #stored(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { fragments } = this.#ports;
    if (ask.kind === 'get-block') return fragments.getBlock(ask.hash);
    if (ask.kind === 'get-fragments') return this.#storedFragments(ask.places);
    const staged = this.#ports.staged.indexOf(ask.file, ask.fragment);
    if (staged !== undefined) return Promise.resolve(staged);
    const fragmentId = this.#idOf(ask);
    return fragmentId === undefined ? Promise.resolve(undefined) : fragments.getIndex(fragmentId);
  }

  /** Undefined if the file has no name, or no such fragment. */
  #idOf({ file, fragment }: Place): FragmentId | undefined {
    return this.#ports.catalogue.files().get(file)?.fragments[fragment];
  }

  /** One at a time: until it is copied, each block has a full block's memory. */
  async #storedFragments(places: readonly Place[]): Promise<Uint8Array<ArrayBuffer>> {
    const loaded: (SmallFragment | undefined)[] = [];
    const asked = new Set<string>();
    let roomBytes = MAX_TOGETHER_BYTES;
    for (const place of places) {
      const key = `${place.file}/${place.fragment}`;
      const fragment = asked.has(key) ? undefined : await this.#smallFragment(place, roomBytes);
      asked.add(key);
      roomBytes -= fragment?.block.length ?? 0;
      loaded.push(fragment);
    }
    return encodeSmallFragments(loaded);
  }

  /** Undefined where it is missing, differs from what its file says, or is larger than `roomBytes`. */
  async #smallFragment(place: Place, roomBytes: number): Promise<SmallFragment | undefined> {
    if (this.#ports.withholds(place)) return undefined;
    const manifest = this.#ports.catalogue.files().get(place.file);
    if (manifest === undefined || !hasSmallFragments(manifest)) return undefined;
    const blockBytes = fragmentBytesOf(manifest);
    if (blockBytes > roomBytes) return undefined;
    try {
      const index = await this.load({ kind: 'get-index', ...place });
      if (index === undefined || index.length > MAX_SMALL_INDEX_BYTES) return undefined;
      const [hash, ...others] = decodeFragmentIndex(index).blocks;
      if (hash === undefined || others.length > 0) return undefined;
      const bytes = await this.loadHeld({ kind: 'get-block', hash });
      if (bytes === undefined) return undefined;
      const block = bytes.length === blockBytes ? bytes.slice() : undefined;
      this.#ports.memory.give(bytes);
      return block && { index, block };
    } catch (error) {
      // The damage was noted; a device that asks for this block singly is told.
      if (isPalmError(error, 'corrupt') || isPalmError(error, 'bad-message')) return undefined;
      throw error;
    }
  }

  /** The search is expensive, so requests of others for missing blocks must not cause it often. */
  async #blockMissing(hash: BlockHash, isHeld: boolean): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (!isHeld && nowMs < this.#soughtAtMs + SEEK_EVERY_MS) return;
    this.#soughtAtMs = nowMs;
    await this.#ports.blockLost(hash);
  }
}
