// What went wrong, as a code, a reason and parameters. The screens have the sentences for people
// (src/ui/text/en.ts), one for each member of these unions. So a language is one file, and nothing below the
// screens needs to know any.
//
// `detail` is a short technical reason for logs and bug reports; sentences may quote it.

import type { BadArgument } from './bad-argument.ts';
import type { AskingFailed, PairingFailed } from './meeting-failures.ts';
import type { NotAllowed } from './not-allowed.ts';
import type { NoPasskeys, PasskeyFailed } from './passkey-failures.ts';

/** What a failure of each code is about. Codes with one meaning need no reason. */
export type Failure =
  | BadInvite
  | { readonly code: 'not-in-pool'; readonly reason: 'left' | 'in-none' }
  | { readonly code: 'already-in-pool' }
  | NotAllowed
  | { readonly code: 'unknown-file'; readonly reason: 'not-an-id' | 'not-heard-of' }
  | { readonly code: 'removed-file'; readonly reason: 'before' | 'while-read' | 'while-placed' }
  | { readonly code: 'link-needed'; readonly reason: 'no-link' | 'of-another-file' | 'does-not-open' }
  | {
      readonly code: 'file-needed';
      readonly reason: 'no-handle' | 'moved' | 'not-allowed';
      readonly name: string;
    }
  | {
      readonly code: 'not-enough-fragments';
      readonly reach: number;
      readonly k: number;
      /** Names of linked devices that are needed and give nothing of what they were asked for. */
      readonly silent: readonly string[];
      /** Whether all of these are there all the same: they answer pings. */
      readonly isHeard: boolean;
    }
  | BadArgument
  | { readonly code: 'link-closed'; readonly reason: 'before-the-answer' }
  | { readonly code: 'link-closed'; readonly reason: 'closed'; readonly detail: string }
  | { readonly code: 'deadline'; readonly reason: 'no-answer' | 'busy' | 'storage' }
  | {
      readonly code: 'cancelled';
      readonly reason: 'transfer' | 'waiting' | 'closing' | 'not-wanted' | 'stays';
    }
  | { readonly code: 'refused'; readonly reason: Refused }
  /** Other devices take no more of what this one hands over. */
  | { readonly code: 'refused'; readonly reason: 'no-room-elsewhere'; readonly fragmentCount: number }
  | { readonly code: 'storage-full'; readonly reason: 'device' | 'download' | 'picked-file' }
  | { readonly code: 'log-full'; readonly reason: 'no-more-files' | 'nothing-more' }
  | OverQuota
  | StorageFailed
  | Corrupt
  | { readonly code: 'source-changed'; readonly reason: 'while-read' | 'while-sealed' | 'not-given' }
  | {
      readonly code: 'source-changed';
      readonly reason: 'gone' | 'unreadable';
      readonly of: 'file' | 'folder';
    }
  | { readonly code: 'source-changed'; readonly reason: 'unread'; readonly name: string }
  | { readonly code: 'bad-message'; readonly what: MalformedThing; readonly detail: string }
  | Unsupported
  | { readonly code: 'other-tab'; readonly reason: OtherTab }
  | { readonly code: 'locked' }
  | { readonly code: 'wrong-passphrase' }
  | PasskeyFailed
  | BadRecoveryCode
  | WorkerFailed
  | BadPairCode
  | PairingFailed
  | AskingFailed
  | KeptStoreFailure;

export interface BadRecoveryCode {
  readonly code: 'bad-recovery-code';
  readonly reason: /** It has not as many letters and digits as a code. */
    | 'length'
    /** It has a sign that is in no code. */
    | 'characters'
    | 'mistyped'
    /** No code of this pool, as far as this device has heard. */
    | 'unknown'
    | 'used';
}

/** The pool's policy limits what a device stores. */
type OverQuota =
  | {
      readonly code: 'over-quota';
      readonly reason: 'stores';
      readonly limitBytes: number;
      /** Of what this device stored before. */
      readonly usedBytes: number;
      readonly neededBytes: number;
      /** A file that would make room, the smallest that suffices alone, or else the largest. */
      readonly removable: { readonly name: string; readonly bytes: number } | undefined;
    }
  | {
      readonly code: 'over-quota';
      readonly reason: 'gives';
      readonly wantedBytes: number;
      readonly givenBytes: number;
    };

export type BadInvite =
  | { readonly code: 'bad-invite'; readonly reason: 'unreadable' | 'newer-version' }
  /** No member lets anybody in by it any more, or not this device. */
  | {
      readonly code: 'bad-invite';
      readonly reason: 'expired' | 'used' | 'withdrawn' | 'shut-out' | 'upgraded';
    }
  /** Text with a link of the other kind. */
  | { readonly code: 'bad-invite'; readonly reason: 'other-kind'; readonly wanted: 'join' | 'file' }
  | {
      readonly code: 'bad-invite';
      readonly reason: 'missing';
      readonly part: 'invite' | 'file-id' | 'link-key';
      /** How many characters, at its end; undefined for all of it. */
      readonly charCount: number | undefined;
    };

export type BadPairCode =
  | {
      readonly code: 'bad-pair-code';
      readonly reason:
        | 'unreadable'
        | 'newer-version'
        /** An invite's link instead. */
        | 'is-link'
        /** A first code where the answer to one is wanted, and the other way round. */
        | 'is-offer'
        | 'is-answer'
        /** The code that this device shows itself. */
        | 'own'
        | 'other-pool'
        /** Its maker is in no pool, and this device was not asked to let it in. */
        | 'newcomer'
        /** Neither device is in a pool. */
        | 'no-pool'
        /** The answer to another code. */
        | 'other-offer'
        /** This device shows no code that could be answered, or no longer. */
        | 'no-offer';
    }
  | {
      readonly code: 'bad-pair-code';
      readonly reason: 'missing';
      /** How many characters, at its end; undefined for nearly all. */
      readonly charCount: number | undefined;
    };

type OtherTab =
  | 'has-device'
  | 'leave-there'
  | 'older-version'
  /** Another tab is downloading this file. */
  | 'download-there'
  /** The tab that ran the device ended before it said what became of a call. */
  | 'ended-unheard';
type Refused =
  | 'sealing-too-much'
  | 'download-is-open'
  | 'stored-in-another-tab'
  /** Another device has no such block or index. */
  | 'not-there'
  /** This device has lost a block that it held. */
  | 'not-here';

type StorageFailed =
  | {
      readonly code: 'storage-failed';
      readonly reason:
        | 'not-all-deleted'
        | 'pool-key-damaged'
        | 'closing'
        | 'updated-elsewhere'
        | 'files-not-given'
        /** Deleted under the open page: cleared site data, or eviction. */
        | 'gone'
        | 'takeover'
        | 'block-missing'
        | 'row-let-go'
        | 'fragment-worker'
        | 'download-not-open'
        | 'download-changed'
        | 'picked-file-gone'
        | 'picked-file-locked';
    }
  /** `detail`: the name of the browser's exception. */
  | {
      readonly code: 'storage-failed';
      readonly reason: 'database';
      readonly detail: string | undefined;
      readonly mayBeFull: boolean;
    }
  | {
      readonly code: 'storage-failed';
      readonly reason: 'download' | 'picked-file';
      readonly detail: string;
    };

type Corrupt =
  | {
      readonly code: 'corrupt';
      readonly reason:
        | 'device-key'
        | 'pool-secrets'
        | 'lock'
        | 'block-not-stored'
        | 'index-not-stored'
        | 'block-dropped'
        | 'fragment-dropped'
        | 'index-of-another-id'
        | 'index-of-another-file'
        | 'block-length'
        | 'answer'
        | 'not-small'
        | 'copy-elsewhere';
    }
  | {
      readonly code: 'corrupt';
      readonly reason: 'segment';
      /** From 0. */
      readonly segment: number;
      readonly segmentCount: number;
      readonly detail: string;
    };

/** What failed its decoder. */
type MalformedThing = 'record' | 'frame' | 'envelope' | 'relay-frame';

type Unsupported =
  | {
      readonly code: 'unsupported';
      readonly reason:
        | 'no-files'
        | 'insecure-page'
        | 'no-ed25519'
        | 'coding'
        | 'large-download'
        | 'no-lock'
        | 'no-pairing'
        | 'no-nearby'
        | NoPasskeys;
    }
  | { readonly code: 'unsupported'; readonly reason: 'wasm'; readonly detail: string };

type WorkerFailed =
  | { readonly code: 'worker-failed'; readonly reason: 'codec' | 'downloads' | 'coding' }
  /** A part of the app did not arrive: a newer app has taken its place, or the relay gave no answer. */
  | { readonly code: 'worker-failed'; readonly reason: 'app-updated' | 'relay-gone' }
  /** `status`: of the HTTP response. */
  | { readonly code: 'worker-failed'; readonly reason: 'not-loaded'; readonly status: number }
  /** A worker threw something other than a PalmError. */
  | { readonly code: 'worker-failed'; readonly reason: 'threw'; readonly detail: string };

/**
 * A store met `failure`. The blocks that are already encrypted are kept, and the store can be continued. The
 * code is that of `failure`.
 */
type KeptStoreFailure = {
  readonly code: 'storage-full' | 'storage-failed' | 'worker-failed' | 'refused' | 'over-quota';
  readonly reason: 'store-kept';
  readonly name: string;
  readonly failure: Failure;
};

/** Something refused at the door of the network. */
export type Rejection =
  | { readonly kind: 'failure'; readonly failure: Failure }
  | { readonly kind: 'too-much-signaling' }
  /** Another page has this device's identity: its browser profile was copied. */
  | { readonly kind: 'twin' }
  | { readonly kind: 'letter'; readonly detail: string }
  /** The other device does not read what it is sent. */
  | { readonly kind: 'not-read' }
  | { readonly kind: 'no-connection'; readonly detail: string }
  | { readonly kind: 'relay-address'; readonly detail: string }
  /** `detail`: the relay's own words. */
  | { readonly kind: 'relay-closed'; readonly detail: string };
