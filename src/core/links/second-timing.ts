// When a second connection is opened, doubted and ended: its waits, ms, and its counts, with their reasons.

/** So many bytes must find others waiting before them, bytes: what ends sooner gains nothing. */
export const OPEN_AFTER_BYTES = 4 * 1024 * 1024;
/** What waited longer ago than this does not count, ms. */
export const WAITED_WITHIN_MS = 5_000;
/** With no message on it for this long, ms, it is ended: it costs packets and memory at both ends. */
export const SECOND_IDLE_MS = 10_000;
/** The end that did not open it ends it after this, ms, if the other does not: it holds a place. */
export const IDLE_BEYOND_MS = 3 * SECOND_IDLE_MS;
/** How often it is looked at while something is awaited from the other end, ms. */
export const LOOK_EVERY_MS = 500;
/**
 * Looks in a row without movement after which it is ended, and what was given to it goes over the link:
 * before a reader finds this device silent (silence-watch.ts). Looks are counted, not time: a page that
 * slept has looked once.
 */
export const STILL_LOOK_COUNT = 5;
/**
 * Looks in a row after which it is ended as well, if what was given to it would long have gone over the link:
 * as long as a read waits for a silent device, since a read may wait for just this.
 */
export const LATE_LOOK_COUNT = 8;
/** Looks at a connection that is over here, until the other end has broken its promise to say what came. */
export const OVER_LOOK_COUNT = 120;
/** After one that failed none is opened for this long, ms; doubles with each further failure. */
export const REST_MS = 30_000;
/** The longest such rest, ms: what failed because of a network that changed is tried within the hour. */
export const MAX_REST_MS = 15 * 60_000;
/** After one that was idle, the next waits for this long, ms. */
export const SHORT_REST_MS = 4_000;
/**
 * An offer that comes sooner than this after the last connection is declined, ms: each costs a connection.
 */
export const MIN_REST_MS = 2_000;
