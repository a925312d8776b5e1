// What the peer is told, and what it wants done (peer.ts).

import type { CheckedAct } from '../catalogue/grants/act.ts';
import type { CheckedEntry } from '../catalogue/check.ts';
import type { PackedEntry } from '../catalogue/packed-entry.ts';
import type { MemberTold } from '../membership/membership.ts';
import type { CheckAliveEffect, SignAliveEffect } from '../membership/membership-effects.ts';
import type { BlockHash, DeviceId, FileId, JobId } from '../model/ids.ts';
import type { WallMs } from '../model/time.ts';
import type { Lane } from '../transport-port.ts';
import type { Failure, Message, ProofAsk, Refusal } from '../wire/messages.ts';
import type { Audit, AuditOutcome } from '../repair/audit-plan.ts';
import type { Place } from '../wire/places.ts';
import type { MisdeedEffect } from './misdeeds.ts';
import type { ChallengeEffect } from './challenges.ts';
import type { PrefetchEffect, PrefetchOutcome } from './prefetching.ts';
import type { RequestResult } from './requests.ts';
import type { Ask } from '../wire/asks.ts';
import type { Fetch } from './taking.ts';

export interface HeldFragment {
  readonly file: FileId;
  readonly fragment: number;
  /** Of its blocks and its index (heldBytesOf). */
  readonly bytes: number;
}

/** What runtime/repair does. */
export type RepairTold =
  /** This device rebuilds fragments of `file`, and stages up to `bytes` of blocks for it. */
  | { readonly kind: 'rebuilding'; readonly file: FileId; readonly bytes: number }
  /** They are staged: hand these over, each to its home. */
  | { readonly kind: 'rebuilt'; readonly file: FileId; readonly homes: ReadonlyMap<number, DeviceId> }
  /** The staging is gone. */
  | { readonly kind: 'repair-over'; readonly file: FileId };

export type PeerInput =
  | { readonly kind: 'link-up'; readonly device: DeviceId }
  /** `isLeft`: the device ended the link of its own accord. */
  | { readonly kind: 'link-down'; readonly device: DeviceId; readonly isLeft?: boolean }
  | {
      readonly kind: 'message';
      readonly from: DeviceId;
      readonly message: Message;
      readonly payload: Uint8Array<ArrayBuffer>;
    }
  /** Entries went through check.ts. Those that failed are counted, and not included. */
  | {
      readonly kind: 'entries-checked';
      readonly from: DeviceId;
      readonly entries: readonly CheckedEntry[];
      readonly refusedCount?: number;
      readonly more: boolean;
    }
  /** Acts went through checkAct. Those that failed are counted, and not included. */
  | {
      readonly kind: 'acts-checked';
      readonly from: DeviceId;
      readonly acts: readonly CheckedAct[];
      readonly refusedCount: number;
    }
  /** Whether keys of an epoch that acts speak of are not here. */
  | { readonly kind: 'keys-looked'; readonly isMissing: boolean }
  /** This device wrote acts, and they are durable. */
  | { readonly kind: 'acts-written'; readonly acts: readonly CheckedAct[] }
  /** This device wrote entries that fit one message, and they are durable. */
  | { readonly kind: 'published'; readonly entries: readonly CheckedEntry[] }
  /**
   * Fragments that became durable here, or that a start found: all in one input, which costs as much as one.
   */
  | { readonly kind: 'held'; readonly fragments: readonly HeldFragment[] }
  /** A fragment no longer counts: it was dropped, or a block of it is damaged. */
  | { readonly kind: 'unheld'; readonly file: FileId; readonly fragment: number }
  /** The files of which this device keeps as much as it may: all of them. */
  | { readonly kind: 'pins'; readonly files: readonly FileId[] }
  | { readonly kind: 'space'; readonly freeBytes: number }
  /** Everything that was stored here is gone, and nothing can be stored. */
  | { readonly kind: 'storage-gone' }
  /** All fragments of `file` are here: place them. `early`: its blocks were foretold as this job's. */
  | {
      readonly kind: 'outbox';
      readonly file: FileId;
      readonly early?: { readonly job: JobId; readonly homes: ReadonlyMap<number, DeviceId> } | undefined;
    }
  /** These blocks of a file that is being sealed are here, and will be placed on `to`. */
  | {
      readonly kind: 'foretell';
      readonly job: JobId;
      readonly to: DeviceId;
      readonly blocks: readonly BlockHash[];
    }
  /** The job will not become a file: it could not be sealed, or was cancelled. */
  | { readonly kind: 'soon-over'; readonly job: JobId }
  /**
   * A store that an earlier page began is given up: devices that were told of it may still keep blocks for
   * it.
   */
  | { readonly kind: 'abandoned'; readonly job: JobId }
  | {
      readonly kind: 'prefetched';
      readonly from: DeviceId;
      readonly job: JobId;
      readonly block: BlockHash;
      readonly outcome: PrefetchOutcome;
    }
  /** The index of a fragment that is being pulled was read: these are its blocks. */
  | { readonly kind: 'pulling'; readonly blocks: readonly BlockHash[] }
  /** `blocks`: those of a fragment that is now held, if hints may have brought them. */
  | {
      readonly kind: 'pulled';
      readonly place: Place;
      readonly from: DeviceId;
      readonly outcome: 'held' | Refusal;
      readonly blocks?: readonly BlockHash[];
    }
  | { readonly kind: 'request'; readonly ticket: number; readonly to: DeviceId; readonly ask: Ask }
  | { readonly kind: 'abandon'; readonly ticket: number }
  /** The device asked for blocks in the lane. */
  | { readonly kind: 'lane-read'; readonly from: DeviceId }
  /** A `serve` effect was carried out, or stopped. */
  | { readonly kind: 'served'; readonly to: DeviceId; readonly id: number; readonly failure?: Failure }
  /** `device` was asked for a fragment that it claims, and has none or, if `isWrong`, gave something else. */
  | (Place & { readonly kind: 'not-given'; readonly device: DeviceId; readonly isWrong: boolean })
  /** An audit of what `device` claims ended. */
  | (Audit & { readonly kind: 'audited'; readonly outcome: Exclude<AuditOutcome, 'cut'> })
  /** A `round` effect was carried out: from now on the parts it keeps back are served to no device. */
  | { readonly kind: 'round-ready'; readonly round: number }
  /**
   * A `challenge` effect was carried out. The right answers of `to` by this device's own copies, undefined
   * for those that are not sound; undefined altogether if they could not be read now.
   */
  | {
      readonly kind: 'challenge-ready';
      readonly id: number;
      readonly to: DeviceId;
      readonly asks: readonly ProofAsk[];
      readonly expected: readonly (Uint8Array | undefined)[] | undefined;
    }
  /** A `prove` effect was carried out. */
  | {
      readonly kind: 'proof-made';
      readonly to: DeviceId;
      readonly id: number;
      readonly digests: readonly (Uint8Array | undefined)[];
    }
  /** The page is being hidden or frozen: others need not wonder why it is silent. */
  | { readonly kind: 'freezing' }
  /** It was shown or came online, after it was frozen for `frozenMs`; 0: not that anybody knows. */
  | { readonly kind: 'woke'; readonly frozenMs: number }
  | MemberTold
  /** The wall clock was set, or the device slept; also the first input of all. */
  | { readonly kind: 'clock-jumped'; readonly wallMs: WallMs }
  | RepairTold
  /** This device hands everything over in order to leave, or stays after all. */
  | { readonly kind: 'leaving'; readonly isLeaving: boolean }
  /** A `try-store` effect was carried out: whether the disk gave an answer. */
  | { readonly kind: 'store-tried'; readonly works: boolean }
  | { readonly kind: 'tick' };

export type PeerEffect =
  | { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message; readonly lane: Lane }
  /** Check these and answer with 'entries-checked', before anything else on this device's control lane. */
  | {
      readonly kind: 'check-entries';
      readonly from: DeviceId;
      readonly entries: readonly Uint8Array[];
      readonly more: boolean;
    }
  /** The same for acts; answer with 'acts-checked'. */
  | { readonly kind: 'check-acts'; readonly from: DeviceId; readonly acts: readonly Uint8Array[] }
  /** Seal the secrets of all epochs for the device, and send them. */
  | { readonly kind: 'give-keys'; readonly to: DeviceId }
  /** Open what the device gave; answer with 'keys-looked'. */
  | { readonly kind: 'take-keys'; readonly from: DeviceId; readonly sealed: Uint8Array }
  /** Make the acts as they are now durable. */
  | { readonly kind: 'keep-acts' }
  | { readonly kind: 'keep-entries'; readonly entries: readonly CheckedEntry[] }
  /** They were evicted for others of their log, and are no longer kept. */
  | { readonly kind: 'forget-entries'; readonly entries: readonly PackedEntry[] }
  /** Fetch this fragment, or these small ones, from `from`; make durable; answer each: 'held', 'pulled'. */
  | ({ readonly kind: 'pull' } & Fetch)
  | PrefetchEffect
  /** Drop these fragments of a file from the store; answer each with 'unheld'. */
  | { readonly kind: 'drop'; readonly file: FileId; readonly fragments: readonly number[] }
  /**
   * The file is placed, or removed: drop these of its fragments from the store, answer each with 'unheld',
   * and drop its outbox row last, so that a crash in between leaves nothing behind forever.
   */
  | { readonly kind: 'outbox-done'; readonly file: FileId; readonly surplus: readonly number[] }
  /** The staging of a repair is of no more use; `isDone`: everything in it has a home. */
  | { readonly kind: 'handover-over'; readonly file: FileId; readonly isDone: boolean }
  | { readonly kind: 'answer'; readonly ticket: number; readonly result: RequestResult }
  /** Send a device what it asks for under request `id`; answer with 'served'. */
  | { readonly kind: 'serve'; readonly to: DeviceId; readonly id: number; readonly ask: Ask }
  | { readonly kind: 'stop-serving'; readonly to: DeviceId; readonly id: number }
  | ChallengeEffect
  | SignAliveEffect
  | CheckAliveEffect
  /**
   * Hash the parts of these that the salts pick, for `to`, from the disk; answer with 'proof-made'.
   * Undefined: not held here.
   */
  | {
      readonly kind: 'prove';
      readonly to: DeviceId;
      readonly id: number;
      readonly asks: readonly (ProofAsk | undefined)[];
    }
  /** The device speaks another version of the protocol: tell people which of the two pages to reload. */
  | { readonly kind: 'other-protocol'; readonly device: DeviceId; readonly protocol: number }
  | { readonly kind: 'close-link'; readonly device: DeviceId; readonly reason: string }
  /** Find out whether the link with the device still works. */
  | { readonly kind: 'doubt-link'; readonly device: DeviceId }
  /** Read something from the disk; answer with 'store-tried'. */
  | { readonly kind: 'try-store' }
  /** People must hear of it. */
  | MisdeedEffect;
