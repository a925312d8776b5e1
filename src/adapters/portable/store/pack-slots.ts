// How slots are numbered and how large they are (FORMATS.md, "On disk"). Packs are of two kinds, so that
// blocks of the usual size leave no gaps.

import { BLOCK_BYTES, USUAL_BLOCK_BYTES } from '../../../core/model/limits.ts';

/**
 * Up to 16 MiB in one file: small enough that removed files give space back soon, large enough to keep files
 * few.
 */
export const PACK_SLOTS = 64;

export interface PackKind {
  /** The least number of a pack of this kind. */
  readonly firstPack: number;
  /** What each of its slots takes at most. */
  readonly slotBytes: number;
}

const LARGEST: PackKind = { firstPack: 0, slotBytes: BLOCK_BYTES };
const USUAL: PackKind = { firstPack: 2 ** 31 / PACK_SLOTS, slotBytes: USUAL_BLOCK_BYTES };

export const PACK_KINDS: readonly PackKind[] = [LARGEST, USUAL];

export function kindOfPack(number: number): PackKind {
  return number < USUAL.firstPack ? LARGEST : USUAL;
}

/** The kind for a block of `byteCount`. */
export function kindForBlock(byteCount: number): PackKind {
  return byteCount > USUAL.slotBytes ? LARGEST : USUAL;
}

/** What a slot takes at most, bytes. */
export function slotBytesOf(slot: number): number {
  return kindOfPack(Math.floor(slot / PACK_SLOTS)).slotBytes;
}
