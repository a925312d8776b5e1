// The erasure code as the segment codec needs it. Adapters implement it, each over another kernel.

/** Systematic Reed-Solomon over GF(2^8), 0x11D, Vandermonde-derived (see FORMATS.md). */
export interface ErasureCode {
  /**
   * Returns the k data shards in a row from any k shards of one segment. `shards` has exactly k entries with
   * distinct indices in 0..n-1 and equal lengths. The result is `into`, of k times their length, if given.
   */
  decode(
    shards: readonly IndexedBlock[],
    k: number,
    n: number,
    into?: Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer>;
  /**
   * Overwrites the bytes of `targets` with the shards of those indices, data or parity, computed from any k
   * others of the same length. k is the number of `sources`. All indices are distinct and below 255.
   */
  derive(sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]): void;
}

/** Block `index` (0..n-1) of a segment. */
export interface IndexedBlock {
  readonly index: number;
  readonly bytes: Uint8Array;
}
