// What re-keying shows, before and after its failure has words.

import type { Failure } from '../../core/model/failures.ts';
import type { RekeyRun, RekeyStatus } from '../rekey-api.ts';

export interface WordlessRekey extends Omit<RekeyStatus, 'run'> {
  readonly run?: WordlessRekeyRun;
}

export interface WordlessRekeyRun extends Omit<RekeyRun, 'problem'> {
  readonly failure?: Failure;
}

export function wordedRekey(
  rekey: WordlessRekey | undefined,
  errorText: (failure: Failure) => string,
): { readonly rekey?: RekeyStatus } {
  if (rekey === undefined) return {};
  const { run, ...told } = rekey;
  if (run === undefined) return { rekey: told };
  const { failure, ...shown } = run;
  return { rekey: { ...told, run: failure ? { ...shown, problem: errorText(failure) } : shown } };
}
