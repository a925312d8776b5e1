// Second copies that this device was asked to give up. It first challenges the other devices that claim the
// fragment, from its own copy, and gives that up once one of them has proved to hold it.
//
// Invariant: each request to give up a fragment has effect at most once.

import type { FileId } from '../model/ids.ts';
import type { Place } from '../wire/messages.ts';
import type { Verdict } from './challenges.ts';

export class Releasing {
  /** Challenges under way, by file and fragment. */
  readonly #open = new Map<FileId, Map<number, number>>();

  /** `challengeCount`, above 0, verdicts about `place` will come. */
  add({ file, fragment }: Place, challengeCount: number): void {
    const ofFile = this.#open.get(file) ?? new Map<number, number>();
    this.#open.set(file, ofFile.set(fragment, challengeCount));
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

  has(file: FileId, fragment?: number): boolean {
    const ofFile = this.#open.get(file);
    return fragment === undefined ? ofFile !== undefined : ofFile?.has(fragment) === true;
  }
}
