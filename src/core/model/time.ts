// The two kinds of time, told apart by type. Monotonic time measures durations within a page's life; wall
// time is for what outlives the page or is shown to people, and may be set by anybody at any moment.
//
// A plain number passes for either, because sums and differences are plain numbers. What the compiler refuses
// is one kind where the other is meant.

declare const kind: unique symbol;

/** Ms since an arbitrary origin, by a clock that never goes back. It may stand still during sleep. */
export type MonotonicMs = number & { readonly [kind]?: 'monotonic' };

/** Ms since the Unix epoch, by a clock that jumps both ways. */
export type WallMs = number & { readonly [kind]?: 'wall' };
