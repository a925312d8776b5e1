// The parts of a contract suite: named cases over a harness, with their own assertions. It imports no test
// runner, so the same cases run under vitest and, as plain functions, in a page.

import { equalBytes } from '../../src/core/model/bytes.ts';
import { isPalmError, type PalmErrorCode } from '../../src/core/model/errors.ts';

export interface ContractCase<Harness> {
  readonly name: string;
  /** Rejects when the contract is broken. */
  readonly run: (harness: Harness) => Promise<void>;
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Contract broken: ${what}.`);
}

/** Compares plain data; bytes by value. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [shown, wanted] = [shownOf(actual), shownOf(expected)];
  check(shown === wanted, `${what}: ${shown} instead of ${wanted}`);
}

export function checkBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  check(actual !== undefined && equalBytes(actual, expected), `${what}: other bytes, or none`);
}

export async function checkRejects(work: Promise<unknown>, code: PalmErrorCode, what: string): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  check(isPalmError(error, code), `${what}: ${String(error)} instead of a PalmError '${code}'`);
}

function shownOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part)) ??
    'undefined'
  );
}
