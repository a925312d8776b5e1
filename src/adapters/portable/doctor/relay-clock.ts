// How far a relay's clock is from this device's, by the Date header of one of its answers.

import type { ClockSeen } from '../../../core/doctor/facts.ts';

/** Headers have whole seconds, cut off (RFC 9110, section 5.6.7), ms. */
const GRAIN_MS = 1_000;

/**
 * `date`: the header. The answer was written between `askedAtMs` and `answeredAtMs`, wall time.
 * Undefined when the header is no date.
 */
export function relayClock(
  date: string | null | undefined,
  askedAtMs: number,
  answeredAtMs: number,
): ClockSeen | undefined {
  const relayMs = Date.parse(date ?? '');
  if (Number.isNaN(relayMs)) return undefined;
  const aheadMs = relayMs + GRAIN_MS / 2 - (askedAtMs + answeredAtMs) / 2;
  return {
    aheadMs: Math.round(aheadMs),
    uncertainMs: Math.round(GRAIN_MS / 2 + (answeredAtMs - askedAtMs) / 2),
  };
}
