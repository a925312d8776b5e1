// When links are tried, probed and given up: every wait of the link machine, ms, with its reason.

/** From first offer to open channel. A LAN needs a second or two; a phone resolving mDNS names, a few. */
export const ATTEMPT_TIMEOUT_MS = 10_000;
/** The first wait after a failure; doubles with each further one. */
const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_MAX_MS = 30_000;
/** A link that lasted this long was sound: after it, the waits start again from the first. */
export const STABLE_AFTER_MS = 10_000;
/**
 * Failures in a row, with nothing heard between them, until a device is forgotten. Its next announce brings
 * it back.
 */
export const GIVE_UP_AFTER_COUNT = 8;
/** While a sign of life is expected: silence after which the link is pinged, and between pings. */
export const PING_AFTER_MS = 2_500;
/** While a sign of life is expected: silence after which the link is dead, with three pings unanswered. */
export const DEAD_AFTER_MS = 10_000;
/** How long a link in doubt (we slept, or the other side asks for a link) has to answer a ping. */
export const CHECK_MS = 4_000;
/**
 * The same after this device slept or its page was shown: a pong takes milliseconds on a LAN, and a new link
 * less than a second. So files can be read two seconds later, and a sound link that was slow costs no more.
 */
export const WAKE_CHECK_MS = 850;
/** A deadline met this late means that the device slept: earlier silence says nothing about the others. */
export const OVERSLEPT_MS = 5_000;
/** Letters of a page's predecessor, closed before it began, have arrived by then, or never will. */
export const TWIN_AFTER_MS = 5_000;
/** The first wait between routine announces to everyone, in case one was lost; it doubles after some. */
export const ANNOUNCE_EVERY_MS = 60_000;
/** The longest of these waits: devices that gave each other up try again after minutes, not hours. */
export const MAX_ANNOUNCE_EVERY_MS = 240_000;
/** Announces to everyone are never closer than this. */
export const ANNOUNCE_GAP_MS = 1_000;
/** Attempts with strangers at the same time: most end within a second or two, and connections are scarce. */
export const MAX_ATTEMPT_COUNT = 32;
/** Candidates accepted from the other side for one attempt: a device has a few addresses, not dozens. */
export const MAX_CANDIDATE_COUNT = 64;

/**
 * The wait after `failureCount` failures (1 and more). The jitter, 0 to 1, takes off up to half of it, so
 * that devices that failed together do not try again together.
 */
export function backoffMs(failureCount: number, jitter: number): number {
  const wholeMs = Math.min(BACKOFF_FIRST_MS * 2 ** Math.max(failureCount - 1, 0), BACKOFF_MAX_MS);
  return wholeMs * (1 - jitter / 2);
}

/** A source of jitter, 0 to 1, reproducible from `seed` (mulberry32). It spreads waits, guards nothing. */
export function jitterOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
