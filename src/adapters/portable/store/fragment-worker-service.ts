// What the fragment worker offers across its boundary: its stores' methods, with Outcomes; blocks are
// transferred both ways.

import { transfer } from 'comlink';
import { discard } from '../../../core/model/bytes.ts';
import type { BlockHash } from '../../../core/model/ids.ts';
import type { DeviceLock, LockChange, LockOpener, LockState, LockWays } from '../../../core/lock-port.ts';
import type {
  DeviceStore,
  FragmentStore,
  SecretStore,
  StoreJournal,
  UnfinishedStore,
} from '../../../core/ports.ts';
import type { LaneBrought } from '../../../core/lane-port.ts';
import type { RunItem } from '../../../core/wire/lane-run.ts';
import { bringRun, fetchRun, type FetchedRun, type LaneAccess } from '../lane/lane-requests.ts';
import { buffersOf } from '../threads/buffers.ts';
import type { HeldLock, OwnSpace } from './device-store.ts';
import { outcomeOf, type Outcome } from '../threads/outcome.ts';

type Method = Exclude<keyof FragmentStore, 'putBlocks' | 'getBlock'>;

/**
 * See FragmentStore, StoreJournal and SecretStore. Every failure there is an Outcome here; nothing is thrown.
 */
export type FragmentWorkerService = {
  readonly [Name in Method]: (
    ...given: Parameters<FragmentStore[Name]>
  ) => Promise<Outcome<Awaited<ReturnType<FragmentStore[Name]>>>>;
} & {
  /**
   * Returns the blocks' bytes, in order: after the write they are transferred back, to be sent or used again.
   */
  putBlocks(
    ...given: Parameters<FragmentStore['putBlocks']>
  ): Promise<Outcome<readonly Uint8Array<ArrayBuffer>[]>>;
  getBlock(hash: BlockHash, into: Uint8Array<ArrayBuffer>): Promise<BlockAnswer>;
  /** See fetchRun. What comes goes to `port`, as FromLane; the last of it says that this is all. */
  fetchRun(
    access: LaneAccess,
    hashes: readonly BlockHash[],
    into: readonly Uint8Array<ArrayBuffer>[],
    port: MessagePort,
  ): Promise<void>;
  /** See bringRun. The blocks' bytes come back, in order. */
  bringRun(access: LaneAccess, items: readonly RunItem[]): Promise<LaneBrought>;
  holeBytes(): Promise<Outcome<number>>;
  spendReserve(): Promise<Outcome<boolean>>;
  restoreReserve(): Promise<Outcome<void>>;
  /** Resolves when the stores are open. */
  opened(): Promise<Outcome<void>>;
  /** As OpenDeviceStore's. */
  check(): Promise<Outcome<void>>;
  loadJournal(): Promise<Outcome<Awaited<ReturnType<StoreJournal['load']>>>>;
  putJournal(store: UnfinishedStore): Promise<Outcome<void>>;
  endJournal(storeId: string): Promise<Outcome<void>>;
  clearJournal(): Promise<Outcome<void>>;
  getSecret(name: string): Promise<Outcome<Awaited<ReturnType<SecretStore['get']>>>>;
  putSecret(name: string, secret: Uint8Array): Promise<Outcome<void>>;
  clearSecrets(): Promise<Outcome<void>>;
  lockState(): Promise<Outcome<LockState>>;
  lockWays(): Promise<Outcome<LockWays>>;
  /** The calls of DeviceLock return what opens the lock in another worker. */
  closeLock(change: LockChange | undefined): Promise<Outcome<HeldLock | undefined>>;
  openLock(opener: LockOpener, remove: boolean): Promise<Outcome<HeldLock | undefined>>;
  forgetLock(): Promise<Outcome<HeldLock | undefined>>;
  useHeld(held: HeldLock): Promise<Outcome<void>>;
};

interface ServedStores extends DeviceStore {
  readonly space: OwnSpace;
  readonly heldLock: () => HeldLock | undefined;
  readonly useHeld: (held: HeldLock) => Promise<void>;
  /** As OpenDeviceStore's. */
  check(): Promise<void>;
}

/** What a request of the lane brings, told to the page as it comes. */
export type FromLane =
  | { readonly kind: 'block'; readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: 'end' } & FetchedRun);

export interface BlockAnswer {
  readonly outcome: Outcome<Uint8Array<ArrayBuffer> | undefined>;
  /** The given memory, if the block does not lie in it. */
  readonly spent: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Serves the stores once they are there. Until then calls wait; if they fail to open, calls fail with them.
 */
export function createFragmentWorkerService(opening: Promise<ServedStores>): FragmentWorkerService {
  const fragments = async (): Promise<FragmentStore> => (await opening).fragments;
  const locking = (work: (lock: DeviceLock) => Promise<void>): Promise<Outcome<HeldLock | undefined>> =>
    outcomeOf(async () => {
      const { lock, heldLock } = await opening;
      await work(lock);
      return heldLock();
    });
  return {
    async putBlocks(owner, blocks, ...given) {
      const all = blocks.map(({ bytes }) => bytes);
      const outcome = await outcomeOf(async () => {
        await (await fragments()).putBlocks(owner, blocks, ...given);
        return all;
      });
      if (outcome.kind === 'failed') for (const bytes of all) discard(bytes);
      return transfer(outcome, outcome.kind === 'done' ? buffersOf(all) : []);
    },
    kept: (owner) => outcomeOf(async () => (await fragments()).kept(owner)),
    async getBlock(hash, into) {
      const outcome = await outcomeOf(async () => (await fragments()).getBlock(hash, into));
      const bytes = outcome.kind === 'done' ? outcome.value : undefined;
      const spent = bytes?.buffer === into.buffer ? undefined : into;
      return transfer({ outcome, spent }, buffersOf([into, ...(bytes === undefined ? [] : [bytes])]));
    },
    async fetchRun(access, hashes, into, port) {
      const tell = (message: FromLane, bytes: readonly Uint8Array<ArrayBuffer>[]): void =>
        port.postMessage(message, buffersOf(bytes));
      const run = await fetchRun(access, hashes, into, (at, bytes) =>
        tell({ kind: 'block', at, bytes }, [bytes]),
      );
      tell({ kind: 'end', ...run }, run.spent);
    },
    async bringRun(access, items) {
      const bytes = items.map((item) => item.bytes);
      return transfer({ isTaken: await bringRun(access, items), bytes }, buffersOf(bytes));
    },
    hasBlocks: (hashes) => outcomeOf(async () => (await fragments()).hasBlocks(hashes)),
    commit: (making) => outcomeOf(async () => (await fragments()).commit(making)),
    getIndex: (fragmentId) => outcomeOf(async () => (await fragments()).getIndex(fragmentId)),
    list: () => outcomeOf(async () => (await fragments()).list()),
    drop: (fragmentIds) => outcomeOf(async () => (await fragments()).drop(fragmentIds)),
    release: (owner) => outcomeOf(async () => (await fragments()).release(owner)),
    owners: () => outcomeOf(async () => (await fragments()).owners()),
    clear: () => outcomeOf(async () => (await fragments()).clear()),
    holeBytes: () => outcomeOf(async () => (await opening).space.holeBytes()),
    spendReserve: () => outcomeOf(async () => (await opening).space.spendReserve()),
    restoreReserve: () => outcomeOf(async () => (await opening).space.restoreReserve()),
    opened: () => outcomeOf(async () => void (await opening)),
    check: () => outcomeOf(async () => (await opening).check()),
    loadJournal: () => outcomeOf(async () => (await opening).journal.load()),
    putJournal: (store) => outcomeOf(async () => (await opening).journal.put(store)),
    endJournal: (storeId) => outcomeOf(async () => (await opening).journal.end(storeId)),
    clearJournal: () => outcomeOf(async () => (await opening).journal.clear()),
    getSecret: (name) => outcomeOf(async () => (await opening).secrets.get(name)),
    putSecret: (name, secret) => outcomeOf(async () => (await opening).secrets.put(name, secret)),
    clearSecrets: () => outcomeOf(async () => (await opening).secrets.clear()),
    lockState: () => outcomeOf(async () => (await opening).lock.state()),
    lockWays: () => outcomeOf(async () => (await opening).lock.ways()),
    closeLock: (change) => locking((lock) => lock.close(change)),
    openLock: (opener, remove) => locking((lock) => lock.open(opener, remove)),
    forgetLock: () => locking((lock) => lock.forget()),
    useHeld: (held) => outcomeOf(async () => (await opening).useHeld(held)),
  };
}
