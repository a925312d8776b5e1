// Seals rows that must be erasable, each under the key in a slot of its own (key-slots.ts). Once the slot is
// overwritten, the row says nothing, however many old copies of it the engine leaves behind.
//
// Where the engine has no file that can be overwritten in place, rows stay unsealed: a key next to them would
// not protect them. They have NO_SLOT, and their deleted data may stay on the disk.
//
// Order of writing: slot, flush, row. Order of erasing: slot, flush, row (strict as well), and only then is
// the slot free. `flush` is called before each transaction (group-commit.ts).

import { concatBytes, utf8 } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import type { BlockOwner } from '../../../core/model/ids.ts';
import { GCM_TAG_BYTES } from '../../../core/model/limits.ts';
import { webCryptography } from '../webcrypto.ts';
import type { KeySlots } from './key-slots.ts';

/** Stands for the slot of a row that is not sealed. */
export const NO_SLOT = 2 ** 32 - 1;
/** Random for each sealing: a key may seal several rows, and one row repeatedly. */
const NONCE_BYTES = 12;
/** Bytes by which a sealed row is longer than its content. */
export const SEAL_BYTES = NONCE_BYTES + GCM_TAG_BYTES;

/** The kind of a row, bound to its seal, so that none can be taken for another. */
export type RowName =
  | readonly ['index', fragmentId: string]
  | readonly ['kept', owner: BlockOwner, keptAs: number]
  | readonly ['journal', storeId: string]
  | readonly ['secret', name: string];

export type OpenedRow =
  | { readonly kind: 'open'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Its key was erased: it was let go. */
  | { readonly kind: 'erased' }
  | { readonly kind: 'damaged' };

export class RowSeals {
  readonly #slots: KeySlots | undefined;

  /** Without slots, rows are not sealed. */
  constructor(slots: KeySlots | undefined) {
    this.#slots = slots;
  }

  /** Slots with new keys, each the caller's until it is freed. @throws PalmError 'storage-full'. */
  take(count: number): number[] {
    return this.#slots?.take(count) ?? Array.from({ length: count }, () => NO_SLOT);
  }

  /** @throws PalmError 'locked'. */
  async seal(slot: number, name: RowName, plain: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    if (slot === NO_SLOT) return new Uint8Array(plain);
    const key = this.#openSlots().keyIn(slot);
    if (key === undefined) throw new PalmError({ code: 'storage-failed', reason: 'row-let-go' });
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    return concatBytes(nonce, await webCryptography.seal(key, nonce, aadOf(name), plain));
  }

  /** @throws PalmError 'storage-failed' when the browser cannot open the slots now, 'locked'. */
  async open(slot: number, name: RowName, sealed: Uint8Array): Promise<OpenedRow> {
    if (slot === NO_SLOT) return { kind: 'open', bytes: new Uint8Array(sealed) };
    const slots = this.#openSlots();
    if (slots.isErased(slot)) return { kind: 'erased' };
    const key = slots.keyIn(slot);
    if (key === undefined || sealed.length < SEAL_BYTES) return { kind: 'damaged' };
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const bytes = await webCryptography.open(key, nonce, aadOf(name), sealed.subarray(NONCE_BYTES));
    return bytes === undefined ? { kind: 'damaged' } : { kind: 'open', bytes };
  }

  /**
   * Whether the row's key was erased. False where the browser cannot open the slots now: that is no reason to
   * give anything up.
   */
  isErased(slot: number): boolean {
    return slot !== NO_SLOT && this.#slots !== undefined && this.#slots.isErased(slot);
  }

  /** Whether the file of keys lost the row's key. */
  isMissing(slot: number): boolean {
    return slot !== NO_SLOT && this.#slots?.isMissing(slot) === true;
  }

  /** Before the rows are deleted. */
  erase(slots: Iterable<number>): void {
    this.#slots?.erase(slots);
  }

  /** After the rows were deleted. */
  free(slots: Iterable<number>): void {
    this.#slots?.free(slots);
  }

  /** @throws PalmError 'storage-full', 'storage-failed'. */
  flush(): void {
    this.#slots?.flush();
  }

  close(): void {
    this.#slots?.close();
  }

  #openSlots(): KeySlots {
    if (this.#slots !== undefined) return this.#slots;
    throw new PalmError({ code: 'storage-failed', reason: 'files-not-given' });
  }
}

function aadOf(name: RowName): Uint8Array<ArrayBuffer> {
  return utf8(['palm/v1/disk', ...name].join('/'));
}
