// What the peer is told, and what it wants done (peer.ts).

import type { CheckedEntry } from '../catalogue/check.ts';
import type { PackedEntry } from '../catalogue/packed-entry.ts';
import type { BlockHash, DeviceId, FileId, JobId } from '../model/ids.ts';
import type { Lane } from '../ports.ts';
import type { Failure, Message, Place, ProofAsk, Refusal } from '../wire/messages.ts';
import type { MisdeedEffect } from './misdeeds.ts';
import type { ChallengeEffect } from './challenges.ts';
import type { PrefetchEffect, PrefetchOutcome } from './prefetching.ts';
import type { Ask, RequestResult } from './requests.ts';
import type { Fetch } from './taking.ts';

export type PeerInput =
  | { readonly kind: 'link-up'; readonly device: DeviceId }
  | { readonly kind: 'link-down'; readonly device: DeviceId }
  | {
      readonly kind: 'message';
      readonly from: DeviceId;
      readonly message: Message;
      readonly payload: Uint8Array<ArrayBuffer>;
    }
  /** Entries went through check.ts; those that failed are not among them, but counted. */
  | {
      readonly kind: 'entries-checked';
      readonly from: DeviceId;
      readonly entries: readonly CheckedEntry[];
      readonly refusedCount?: number;
      readonly more: boolean;
    }
  /** This device wrote entries that fit one message, and they are durable. */
  | { readonly kind: 'published'; readonly entries: readonly CheckedEntry[] }
  /** A fragment became durable here, or no longer counts (dropped, or a block of it is damaged). */
  /** `bytes`: its blocks and its index (heldBytesOf). */
  | { readonly kind: 'held'; readonly file: FileId; readonly fragment: number; readonly bytes: number }
  | { readonly kind: 'unheld'; readonly file: FileId; readonly fragment: number }
  | { readonly kind: 'space'; readonly freeBytes: number }
  /** All fragments of `file` are here: place them. `early`: as the blocks of this job were foretold. */
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
  /** The file will not be: it could not be sealed, or was cancelled. */
  | { readonly kind: 'soon-over'; readonly job: JobId }
  /** A store that an earlier page began is given up: whoever it told may keep blocks for it still. */
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
  /** `blocks`: those of a fragment that is held now, as far as hints may have brought them. */
  | {
      readonly kind: 'pulled';
      readonly place: Place;
      readonly from: DeviceId;
      readonly outcome: 'held' | Refusal;
      readonly blocks?: readonly BlockHash[];
    }
  | { readonly kind: 'request'; readonly ticket: number; readonly to: DeviceId; readonly ask: Ask }
  | { readonly kind: 'abandon'; readonly ticket: number }
  /** A `serve` effect was carried out, or stopped. */
  | { readonly kind: 'served'; readonly to: DeviceId; readonly id: number; readonly failure?: Failure }
  /** A fragment that `device` claims was asked of it, and it has none, or gave something else. */
  | {
      readonly kind: 'not-given';
      readonly device: DeviceId;
      readonly file: FileId;
      readonly fragment: number;
    }
  /** A `round` effect was carried out: from now on nobody is served what it keeps back. */
  | { readonly kind: 'round-ready'; readonly round: number }
  /**
   * A `challenge` effect: what `to` has to answer by this device's own copies, undefined for those that are
   * not sound; or undefined altogether where they could not be read now.
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
  | { readonly kind: 'tick' };

export type PeerEffect =
  | { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message; readonly lane: Lane }
  /**
   * Check these and answer with 'entries-checked'. Nothing else of this device's control lane may be handled
   * before.
   */
  | {
      readonly kind: 'check-entries';
      readonly from: DeviceId;
      readonly entries: readonly Uint8Array[];
      readonly more: boolean;
    }
  | { readonly kind: 'keep-entries'; readonly entries: readonly CheckedEntry[] }
  /** They had to go for others of their log, and are not kept any more. */
  | { readonly kind: 'forget-entries'; readonly entries: readonly PackedEntry[] }
  /**
   * Fetch this fragment, or these small ones, from `from`, make them durable, answer each with 'held' and
   * 'pulled'.
   */
  | ({ readonly kind: 'pull' } & Fetch)
  | PrefetchEffect
  /** Drop these fragments of a file from the store; answer each with 'unheld'. */
  | { readonly kind: 'drop'; readonly file: FileId; readonly fragments: readonly number[] }
  /**
   * The file is placed, or removed: drop these of its fragments from the store, each answered with 'unheld',
   * and only then its outbox row, so that a crash in between leaves nothing that would be kept for ever.
   */
  | { readonly kind: 'outbox-done'; readonly file: FileId; readonly surplus: readonly number[] }
  | { readonly kind: 'answer'; readonly ticket: number; readonly result: RequestResult }
  /** Send what it asks for to a device under request `id`; answer with 'served'. */
  | { readonly kind: 'serve'; readonly to: DeviceId; readonly id: number; readonly ask: Ask }
  | { readonly kind: 'stop-serving'; readonly to: DeviceId; readonly id: number }
  | ChallengeEffect
  /**
   * Hash what the salts pick of these, for `to`, from the disk; answer with 'proof-made'. Undefined: not held
   * here.
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
  /** People are to hear of it. */
  | MisdeedEffect;
