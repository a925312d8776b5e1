// What the command line and its device say to each other over the device's socket: HTTP, with these bodies.

import type { PalmErrorCode } from '../../core/model/errors.ts';
import type { StoreResult } from '../../runtime/api.ts';

/** Why something failed, in words for people. `code` is 'bug' for what should not happen. */
export interface ToldError {
  readonly code: PalmErrorCode | 'bug' | 'bad-request';
  readonly message: string;
}

/** `cid`: where one was asked for. */
export type Added = StoreResult & { readonly cid?: string };

/** A line of the answer to an addition. */
export type AddLine =
  | {
      readonly kind: 'progress';
      readonly phase: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly kind: 'done'; readonly result: Added }
  | { readonly kind: 'failed'; readonly error: ToldError };

/** A file to add: at a path of the device's machine, or in the request's body. */
export interface AddRequest {
  readonly file?: string;
  readonly name: string;
  readonly path: string;
  readonly isPrivate: boolean;
  readonly k?: number;
  readonly n?: number;
  /** With its IPFS CID, which takes a read of its own. */
  readonly withCid?: boolean;
  /** Whether lines of progress are wanted: each costs a look at all files of the pool. */
  readonly tellsProgress?: boolean;
}

/** The trailer of a file's bytes that ended too early: a ToldError in JSON, escaped as a URL. */
export const ERROR_TRAILER = 'x-palm-error';
/** The header of an addition from the body: an AddRequest in JSON, escaped as a URL. */
export const ADD_HEADER = 'x-palm-add';
