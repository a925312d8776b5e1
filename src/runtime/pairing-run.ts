// The calls of pairing, as the runtime takes them.

import type { LettingIn, PairAnswerOptions, PairOptions } from './pair-api.ts';

/** The calls of pairing. */
export interface PairingRun {
  offer(options?: PairOptions): Promise<{ readonly code: string }>;
  answer(code: string, options?: PairAnswerOptions): Promise<{ readonly code: string }>;
  accept(code: string, options?: LettingIn): Promise<void>;
  cancel(): void;
}
