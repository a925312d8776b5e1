// What is held against one device (doubts.ts).

import type { MonotonicMs } from '../model/time.ts';
import type { Place } from '../wire/places.ts';

/**
 * 'wrong': wrong bytes, or a wrong proof. 'absent': it said that it has no such fragment, or that its copy is
 * damaged. 'silent': it gave no proof when it was asked.
 */
export type Evidence = 'silent' | 'absent' | 'wrong';

/** A claim that was not made good. */
export interface Doubt extends Place {
  /** 'silent' also once the claim was made good. */
  evidence: Evidence;
  /** When it is looked at; Infinity once it was. */
  dueMs: MonotonicMs;
  isReported: boolean;
  /** Whether the claim does not count while it is made. */
  stands: boolean;
  /** Whether the device, as it last told, no longer makes the claim. It may again, with a new copy. */
  isWithdrawn: boolean;
  /** How often the claim was made good, or withdrawn and made again: more than once in order to hinder. */
  againCount: number;
  /** How often it was found false, beginning to stand. */
  failedCount: number;
}

export interface Doubted {
  readonly doubts: Map<string, Doubt>;
  /** Fragments that it proved in a row. */
  provedCount: number;
  /** Claims that it made good since it is distrusted. */
  readonly proved: Set<string>;
  isDistrusted: boolean;
  /** Claims that were reported. */
  toldCount: number;
  /** When it last gave what an audit asked for. */
  givenMs: MonotonicMs;
}

export function newlyDoubted(): Doubted {
  return {
    doubts: new Map(),
    provedCount: 0,
    proved: new Set(),
    isDistrusted: false,
    toldCount: 0,
    givenMs: -Infinity,
  };
}

/** The claim was made good, or may be sound. */
export function countAgain(doubt: Doubt): void {
  doubt.stands = false;
  doubt.evidence = 'silent';
  doubt.dueMs = Infinity;
}

/** Whether the claim with this key counts. */
export function counts({ doubts, isDistrusted, proved }: Doubted, key: string): boolean {
  if (doubts.get(key)?.stands === true) return false;
  return !isDistrusted || proved.has(key);
}

export function keyOf({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
