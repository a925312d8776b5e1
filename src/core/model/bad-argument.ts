// What a call got that it cannot use: its reasons and their parameters.

import type { DeviceClass } from './device-class.ts';

export type BadArgument =
  | { readonly code: 'bad-argument'; readonly reason: 'no-name'; readonly of: 'pool' | 'device' | 'file' }
  | { readonly code: 'bad-argument'; readonly reason: 'invisible-name'; readonly of: 'pool' | 'device' }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'long-name';
      readonly of: 'pool' | 'device';
      readonly maxBytes: number;
    }
  | { readonly code: 'bad-argument'; readonly reason: 'characters'; readonly of: FileDetail }
  /** In UTF-16 units, as file systems count. */
  | { readonly code: 'bad-argument'; readonly reason: 'long-file-name'; readonly maxUnits: number }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'long-detail';
      readonly of: FileDetail;
      readonly maxBytes: number;
    }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'range';
      readonly start: number;
      readonly end: number;
      readonly size: number;
    }
  | { readonly code: 'bad-argument'; readonly reason: 'fragment-counts'; readonly max: number }
  | { readonly code: 'bad-argument'; readonly reason: 'not-a-mirror' }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'large-file';
      readonly size: number;
      readonly k: number;
    }
  | { readonly code: 'bad-argument'; readonly reason: 'no-unfinished-store' | 'no-device' | 'no-role' }
  | { readonly code: 'bad-argument'; readonly reason: 'too-many-out'; readonly max: number }
  | { readonly code: 'bad-argument'; readonly reason: 'upgrade-too-large'; readonly max: number }
  /** The pool has a charter; no such charter of another device is here; or it has another code. */
  | {
      readonly code: 'bad-argument';
      readonly reason: 'has-roles' | 'no-upgrade' | 'wrong-upgrade-code';
    }
  /**
   * Of another part of this pool: none is known with that id, it has another code, it offered nothing, or one
   * of the two shut out who upgraded the other.
   */
  | {
      readonly code: 'bad-argument';
      readonly reason: 'no-part' | 'wrong-part-code' | 'no-offer' | 'part-out';
    }
  | { readonly code: 'bad-argument'; readonly reason: 'part-too-large'; readonly max: number }
  /** Not an object of parts that exist. */
  | { readonly code: 'bad-argument'; readonly reason: 'policy-placement'; readonly max: number }
  | { readonly code: 'bad-argument'; readonly reason: 'policy-parts'; readonly of: 'policy' | 'graceMs' }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'policy-grace';
      readonly of: DeviceClass;
      readonly minMs: number;
      readonly maxMs: number;
    }
  | { readonly code: 'bad-argument'; readonly reason: 'policy-share'; readonly min: number }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'policy-quota';
      readonly of: 'storeBytes' | 'giveBytes';
      readonly min: number;
      readonly max: number;
    }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'policy-rotation';
      readonly minMs: number;
      readonly maxMs: number;
    }
  | {
      readonly code: 'bad-argument';
      readonly reason: 'policy-counts';
      readonly min: number;
      readonly max: number;
    }
  | { readonly code: 'bad-argument'; readonly reason: 'store-goes-on'; readonly name: string }
  | { readonly code: 'bad-argument'; readonly reason: 'short-passphrase'; readonly minChars: number }
  | { readonly code: 'bad-argument'; readonly reason: 'long-passphrase'; readonly maxBytes: number }
  | { readonly code: 'bad-argument'; readonly reason: 'record-limit'; readonly max: number }
  | { readonly code: 'bad-argument'; readonly reason: 'record-place' }
  | { readonly code: 'bad-argument'; readonly reason: 'invite-role' }
  | { readonly code: 'bad-argument'; readonly reason: 'invite-uses'; readonly max: number }
  | { readonly code: 'bad-argument'; readonly reason: 'invite-time'; readonly maxMs: number }
  /** None with that id, or it has expired. */
  | { readonly code: 'bad-argument'; readonly reason: 'no-invite' }
  /** The invite of a pool without a charter has no end. */
  | { readonly code: 'bad-argument'; readonly reason: 'endless-invite' }
  /** There is no lock yet to close again. */
  | { readonly code: 'bad-argument'; readonly reason: 'no-passphrase' }
  /** The lock has a passkey alone. */
  | { readonly code: 'bad-argument'; readonly reason: 'passkey-only' }
  /** The lock has no passkey. */
  | { readonly code: 'bad-argument'; readonly reason: 'no-passkey' }
  /** The lock has a passkey, and a passphrase that another passkey must not shut out. */
  | { readonly code: 'bad-argument'; readonly reason: 'has-passkey' }
  /** A new passphrase beside a passkey takes the passkey. */
  | { readonly code: 'bad-argument'; readonly reason: 'passkey-asked' }
  /** More files than can be named at once. */
  | { readonly code: 'bad-argument'; readonly reason: 'too-many-files'; readonly max: number }
  /** A part of Palm asked another for something impossible. */
  | { readonly code: 'bad-argument'; readonly reason: 'internal'; readonly detail: string };

type FileDetail = 'name' | 'path' | 'mime';
