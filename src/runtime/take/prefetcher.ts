// Fetches foretold blocks that core's peer wants, and keeps them in the fragment store under a claim of their
// job until the job is over.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import {
  blockKey,
  type BlockHash,
  type BlockOwner,
  type DeviceId,
  type JobId,
  ownerOfForetold,
} from '../../core/model/ids.ts';
import { BLOCK_BYTES } from '../../core/model/limits.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { PrefetchEffect, PrefetchOutcome } from '../../core/peer/prefetching.ts';
import type { FragmentStore } from '../../core/ports.ts';

export interface PrefetchPorts {
  readonly fragments: FragmentStore;
  readonly requestBlock: (
    from: DeviceId,
    hash: BlockHash,
    signal: AbortSignal,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** `from` sent something other than the block. */
  readonly damaged: (from: DeviceId) => void;
  readonly input: (input: PeerInput) => void;
}

interface Claim {
  readonly controller: AbortController;
  readonly fetches: Set<Promise<PrefetchOutcome>>;
}

export class Prefetcher {
  readonly #ports: PrefetchPorts;
  readonly #claims = new Map<BlockOwner, Claim>();
  /** Claims being released: a block put during the release would be deleted with them. */
  readonly #releases = new Map<BlockOwner, Promise<void>>();
  readonly #underWay = new Map<string, Promise<PrefetchOutcome>>();

  constructor(ports: PrefetchPorts) {
    this.#ports = ports;
  }

  /** Carries out the effect, and says how it ended. */
  async prefetch({ from, job, block }: PrefetchEffect & { kind: 'prefetch' }): Promise<void> {
    let outcome: PrefetchOutcome = 'failed';
    try {
      outcome = await this.fetch(from, job, block);
      if (outcome === 'corrupt') this.#ports.damaged(from);
    } finally {
      this.#ports.input({ kind: 'prefetched', from, job, block, outcome });
    }
  }

  async fetch(from: DeviceId, job: JobId, hash: BlockHash): Promise<PrefetchOutcome> {
    const owner = ownerOfForetold(from, job);
    const claim = this.#claims.get(owner) ?? { controller: new AbortController(), fetches: new Set() };
    this.#claims.set(owner, claim);
    const fetching = this.#fetch(owner, from, hash, claim.controller.signal);
    const key = blockKey(hash);
    claim.fetches.add(fetching);
    this.#underWay.set(key, fetching);
    try {
      return await fetching;
    } finally {
      claim.fetches.delete(fetching);
      if (this.#underWay.get(key) === fetching) this.#underWay.delete(key);
    }
  }

  /** Stops the job's fetches and releases its claim. */
  async over(from: DeviceId, job: JobId): Promise<void> {
    const owner = ownerOfForetold(from, job);
    const claim = this.#claims.get(owner);
    if (claim === undefined) return;
    this.#claims.delete(owner);
    claim.controller.abort(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    const before = this.#releases.get(owner);
    const releasing = this.#release(owner, [...claim.fetches, ...(before === undefined ? [] : [before])]);
    this.#releases.set(owner, releasing);
    try {
      await releasing;
    } finally {
      if (this.#releases.get(owner) === releasing) this.#releases.delete(owner);
    }
  }

  /** Resolves when none of `blocks` is still being fetched, and none is about to be given up. */
  async settled(blocks: readonly BlockHash[]): Promise<void> {
    if (this.#underWay.size + this.#releases.size === 0) return;
    const fetches = blocks.flatMap((hash) => this.#underWay.get(blockKey(hash)) ?? []);
    await Promise.allSettled([...fetches, ...this.#releases.values()]);
  }

  async #release(owner: BlockOwner, after: readonly Promise<unknown>[]): Promise<void> {
    await Promise.allSettled(after);
    await this.#ports.fragments.release(owner);
  }

  async #fetch(
    owner: BlockOwner,
    from: DeviceId,
    hash: BlockHash,
    signal: AbortSignal,
  ): Promise<PrefetchOutcome> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.#ports.requestBlock(from, hash, signal);
    } catch (error) {
      if (!isPalmError(error)) throw error;
      return isPalmError(error, 'link-closed') ? 'lost' : 'failed';
    }
    if (bytes.length > BLOCK_BYTES) return 'corrupt';
    await this.#releases.get(owner);
    if (signal.aborted) return 'failed';
    try {
      await this.#ports.fragments.putBlocks(owner, [{ hash, bytes }], 'claimed');
      return 'here';
    } catch (error) {
      if (!isPalmError(error)) throw error;
      return isPalmError(error, 'corrupt') ? 'corrupt' : 'full';
    }
  }
}
