// The lane: blocks between a page and a device next to the page's relay go by HTTP requests to the page's own
// origin, instead of over the link. The link says who may, and carries all else. The rules of ports.ts for
// buffers hold here too.

import type { BlockHash } from './model/ids.ts';
import type { RunItem } from './wire/lane-run.ts';

/** How a page uses lanes. */
export interface LaneClient {
  /** The page's own: the only one that it sends tokens to. */
  readonly origin: string;
  /**
   * Asks for blocks, LANE_ASKED_BLOCKS at most. `arrived` gets each that comes, with its place in `hashes`;
   * it was found to match its hash. Resolves with whether the answer was whole and true.
   * @throws PalmError 'storage-failed' when the worker died.
   */
  fetchBlocks(
    token: string,
    hashes: readonly BlockHash[],
    arrived: (at: number, bytes: Uint8Array<ArrayBuffer>) => void,
  ): Promise<boolean>;
  /**
   * Brings blocks under the ids of the requests that they answer; takes ownership of their buffers, and gives
   * the bytes back in order.
   * @throws PalmError 'storage-failed' when its worker died; the bytes are lost then.
   */
  bringBlocks(token: string, items: readonly RunItem[]): Promise<LaneBrought>;
}

export interface LaneBrought {
  readonly isTaken: boolean;
  readonly bytes: readonly Uint8Array<ArrayBuffer>[];
}

/** What became of a block that a device wanted to bring. */
export interface Brought {
  readonly isTaken: boolean;
  /** The caller's again; undefined: they are lost. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** What answers such requests next to a relay. */
export interface LaneHost {
  /** Origins of the relay's pages at present. */
  origins(): readonly string[];
  /** Answers from now on, until the returned function is called. */
  open(door: LaneDoor): () => void;
}

export interface LaneDoor {
  /** Whose live token this is. */
  callerOf(token: string): LaneCaller | undefined;
}

/** The device at the other end of one link. */
export interface LaneCaller {
  /** Aborts when the link ends. */
  readonly signal: AbortSignal;
  /** Begins a request; undefined when as many as one device may have are under way. Call the result once. */
  begin(): (() => void) | undefined;
  /** A block of this device; undefined when it is not here, or not to be had now. */
  load(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The bytes were sent, or could not be: they are no longer used. */
  spent(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>, isSent: boolean): void;
  /** Memory for a block that comes in. */
  memory(byteCount: number): Uint8Array<ArrayBuffer>;
  /** Takes a block as the answer to the request of that id, or drops it if none waits. False: it is wrong. */
  take(item: RunItem): Promise<boolean>;
}
