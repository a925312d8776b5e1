// What acts say of who may what (FORMATS.md, trust).

import type { Fields } from '../../encoding/decode.ts';
import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { ExchangeKey } from '../../model/exchange-key.ts';
import type { Role } from '../../model/role.ts';

/** An entry of a device's log. It stands for itself and all entries before it in its branch. */
export interface LogPoint {
  readonly seq: number;
  readonly entry: EntryId;
}

/** A secret that is sealed for one device. */
export interface SealedKey {
  readonly device: DeviceId;
  /** The first bytes of the exchange key that it is sealed for. */
  readonly exchange: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Acts of admins. `as`: the rank that the writer has. */
export type AdminDeed = { readonly as: number } & (
  | {
      readonly kind: 'grant';
      readonly device: DeviceId;
      readonly role: Role;
      readonly rank: number;
      /** Entries up to here belong to the role that the device had before. */
      readonly after: LogPoint | undefined;
    }
  | {
      readonly kind: 'shut-out';
      readonly device: DeviceId;
      /** The last entry of the device that counts. */
      readonly last: LogPoint | undefined;
      /** Acts of the device that count no more, although the writer had seen them. */
      readonly undone: readonly EntryId[];
      readonly reason: string;
    }
  /** Entries of a device that is out count up to this later point. */
  | { readonly kind: 'keep'; readonly device: DeviceId; readonly last: LogPoint | undefined }
  /** The invite with this public key admits nobody any more. */
  | { readonly kind: 'withdraw'; readonly invite: Uint8Array }
  /** New keys. Without parents, they follow those of epoch 0. */
  | {
      readonly kind: 'epoch';
      readonly number: number;
      readonly parents: readonly EntryId[];
      readonly check: Uint8Array;
      readonly sender: ExchangeKey;
      readonly keys: readonly SealedKey[];
    }
  /** A recovery code of the pool, by its public key. Only of rank 0. */
  | { readonly kind: 'code'; readonly recovery: Uint8Array }
  /** A part of a pool that was upgraded apart offers to be taken in by the pool with this charter. */
  | ({ readonly kind: 'offer' } & OfferTerms)
  /** The part whose offer this is, as its record, is taken in. */
  | { readonly kind: 'take-in'; readonly offer: Uint8Array }
);

/** What counts of a part of a pool once another part took it in. */
export interface OfferTerms {
  /** The charter of the part. */
  readonly from: EntryId;
  /** That of the pool which it offers itself to; its own: to none any more. */
  readonly charter: EntryId;
  readonly members: readonly OfferedMember[];
  readonly epochs: readonly OfferedEpoch[];
}

export interface OfferedMember {
  readonly device: DeviceId;
  /** Undefined for one that is out. */
  readonly role: 'member' | 'reader' | undefined;
  readonly stretches: readonly LogStretch[];
}

/** Entries of a device's log up to a point, from the point of the stretch before it on. */
export interface LogStretch {
  readonly right: 'admin' | 'member' | 'none';
  readonly point: LogPoint;
}

export interface OfferedEpoch {
  readonly epoch: EntryId;
  readonly number: number;
  /** 16 bytes. */
  readonly check: Uint8Array;
}

/** What the code of a pool orders to be shut out. */
export interface RecoveredFrom {
  readonly device: DeviceId;
  readonly last: LogPoint | undefined;
  readonly undone: readonly EntryId[];
}

/** Acts that need no admin. */
export type OtherDeed =
  /** A pool begins, or an old one is upgraded. */
  | {
      readonly kind: 'charter';
      /** Members of the old pool that stay. */
      readonly members: readonly { readonly device: DeviceId; readonly point: LogPoint | undefined }[];
      readonly recovery: Uint8Array | undefined;
      /** The founder's exchange key. */
      readonly exchange: ExchangeKey | undefined;
    }
  /** A newcomer is in. */
  | {
      readonly kind: 'admit';
      readonly ticket: Uint8Array;
      /** The newcomer's public key. */
      readonly key: Uint8Array;
      readonly exchange: ExchangeKey;
      readonly proof: Uint8Array;
      readonly consent: Uint8Array;
    }
  /** Further keys of an epoch. */
  | {
      readonly kind: 'epoch-keys';
      readonly epoch: EntryId;
      readonly sender: ExchangeKey;
      readonly keys: readonly SealedKey[];
    }
  /** The writer's exchange key. */
  | { readonly kind: 'exchange'; readonly key: ExchangeKey }
  /** What the holder of a recovery code orders. */
  | {
      readonly kind: 'recover';
      /** Is an admin of rank 0 from now on. */
      readonly admin: DeviceId;
      /** Its entries up to here belong to the role that it had before. */
      readonly after: LogPoint | undefined;
      readonly out: readonly RecoveredFrom[];
      /** The public key of the code that orders it, and signs. */
      readonly code: Uint8Array;
      /** That of the code that takes its place. */
      readonly recovery: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** Gathers acts, and says nothing else. */
  | { readonly kind: 'merge' }
  /** A kind that only newer versions understand: kept and passed on without effect. */
  | { readonly kind: 'unknown'; readonly fields: Fields };

/** `seen`: the acts that the writer knew and that no other act that it knew had seen. */
export type ActBody = { readonly seen: readonly EntryId[] } & (AdminDeed | OtherDeed);

/** What the ticket of an admit says, once its signatures were checked (ticket.ts). */
export interface AdmitTerms {
  /** The newcomer. */
  readonly device: DeviceId;
  /** At most 'member' is given: admins are made by grants. */
  readonly role: Role;
  readonly issuer: DeviceId;
  /** The charter of the pool that the invite is for. */
  readonly charter: EntryId;
  /** The invite's public key, in hexadecimal. */
  readonly invite: string;
  readonly uses: number;
  /** Whether the admit was written in time, by its own date. */
  readonly isInTime: boolean;
}

/** What a take-in takes in, once the offer's signature was checked. */
export interface TakenPart extends OfferTerms {
  /** The act that offered it. */
  readonly offer: EntryId;
}

/** An act as its record says it. */
export interface Act {
  readonly id: EntryId;
  readonly by: DeviceId;
  readonly seq: number;
  /** The writer's act before this one. */
  readonly prev: EntryId | undefined;
  readonly body: ActBody;
  /** Of an admit that is right. */
  readonly terms?: AdmitTerms | undefined;
  /** Of a take-in that is right. */
  readonly takesIn?: TakenPart | undefined;
  /** What it counts for against the bounds. */
  readonly units: number;
}
