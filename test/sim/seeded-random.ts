// A small seeded generator (mulberry32) for simulations. Not for keys.

export interface SeededRandom {
  /** In [0, 1). */
  unit(): number;
  /** A whole number in [0, below). */
  below(below: number): number;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export function randomFrom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    unit: () => next() / 2 ** 32,
    below: (below) => Math.floor((next() / 2 ** 32) * below),
    bytes: (length) => {
      const words = Uint32Array.from({ length: Math.ceil(length / 4) }, next);
      return new Uint8Array(words.buffer).slice(0, length);
    },
  };
}
