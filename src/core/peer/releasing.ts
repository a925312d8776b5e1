// Second copies that this device was asked to give up. It challenges the others that claim the fragment first, from the copy
// that it still has, and gives its own up when one of them proved to hold it.
//
// Invariant: a fragment is given up at most once for each time it was asked for.

import type { FileId } from '../model/ids.ts';
import type { Place } from '../wire/messages.ts';
import type { Verdict } from './challenges.ts';

export class Releasing {
  /** Challenges under way, by file and fragment. */
  readonly #open = new Map<FileId, Map<number, number>>();

  /** False when the fragment is being asked for already. */
  add({ file, fragment }: Place, challengeCount: number): boolean {
    const ofFile = this.#open.get(file) ?? new Map<number, number>();
    if (ofFile.has(fragment)) return false;
    this.#open.set(file, ofFile.set(fragment, challengeCount));
    return true;
  }

  /** Whether `place` may be given up now. */
  judged({ place: { file, fragment }, outcome }: Verdict): boolean {
    const ofFile = this.#open.get(file);
    const openCount = ofFile?.get(fragment);
    if (ofFile === undefined || openCount === undefined) return false;
    if (outcome === 'proved' || openCount === 1) ofFile.delete(fragment);
    else ofFile.set(fragment, openCount - 1);
    if (ofFile.size === 0) this.#open.delete(file);
    return outcome === 'proved';
  }

  has(file: FileId): boolean {
    return this.#open.has(file);
  }
}
