// Errors, as one tab tells another: a PalmError stays one, with its failure; a bug stays a bug, with the
// name, message and stack that it had where it was thrown.

import { bugDetail } from '../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import type { Failure } from '../../core/model/failures.ts';

export type ToldError =
  | { readonly kind: 'failure'; readonly failure: Failure; readonly cause?: string }
  | { readonly kind: 'bug'; readonly name: string; readonly message: string; readonly stack?: string };

export function tellError(error: unknown): ToldError {
  if (isPalmError(error)) {
    const { failure, cause } = error;
    return { kind: 'failure', failure, ...(cause === undefined ? {} : { cause: bugDetail(cause) }) };
  }
  if (!(error instanceof Error)) return { kind: 'bug', name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  return { kind: 'bug', name, message, ...(stack === undefined ? {} : { stack }) };
}

/** The error that `told` is about. What is none is a bug, too. */
export function errorTold(told: unknown): Error {
  if (typeof told !== 'object' || told === null) return new Error(`another tab failed with ${String(told)}`);
  if ('failure' in told && isFailure(told.failure)) {
    const cause = 'cause' in told ? { cause: told.cause } : {};
    return new PalmError(told.failure, cause);
  }
  const error = new Error('message' in told ? String(told.message) : 'another tab failed');
  if ('name' in told) error.name = String(told.name);
  if ('stack' in told) error.stack = String(told.stack);
  return error;
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}
