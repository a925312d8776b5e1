// Rounds of challenges: all claims of a file that are put to the proof together.
//
// Invariant: a round is over once each of its claims has ended, whatever the outcome.

import type { FileId } from '../model/ids.ts';

export type RoundEffect =
  /** Draw a salt for these fragments, serve no device the parts it picks, and report with 'round-ready'. */
  | {
      readonly kind: 'round';
      readonly round: number;
      readonly file: FileId;
      readonly fragments: readonly number[];
    }
  /** The parts kept back for this round may be served again. */
  | { readonly kind: 'round-over'; readonly round: number };

export class ChallengeRounds {
  /** Rounds under way: whether their salt is drawn, and how many of their claims are still open. */
  readonly #rounds = new Map<number, { isReady: boolean; openCount: number }>();
  #effects: RoundEffect[] = [];
  /** The number that `begin` gives. */
  nextRound = 1;

  /** Puts `claimCount`, above 0, claims about these fragments to the proof. */
  begin(file: FileId, fragments: readonly number[], claimCount: number): void {
    const round = this.nextRound++;
    this.#rounds.set(round, { isReady: false, openCount: claimCount });
    this.#effects.push({ kind: 'round', round, file, fragments });
  }

  /** Its salt is drawn. */
  ready(round: number): void {
    const open = this.#rounds.get(round);
    if (open !== undefined) open.isReady = true;
  }

  isReady(round: number): boolean {
    return this.#rounds.get(round)?.isReady === true;
  }

  /** One claim of the round no longer needs a proof. */
  ended(round: number): void {
    const open = this.#rounds.get(round);
    if (open === undefined) return;
    open.openCount -= 1;
    if (open.openCount > 0) return;
    this.#rounds.delete(round);
    this.#effects.push({ kind: 'round-over', round });
  }

  /** Rounds that began and ended since the last call, in order. */
  takeEffects(): RoundEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
