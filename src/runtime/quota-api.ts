// Quotas, as the public face shows them. Documented in docs/API.md.

/** What the pool's policy says of space, and what this device has of it, bytes. */
export interface QuotaStatus {
  /** What a device may store, with all fragments; absent without a limit. */
  readonly storeBytes?: number;
  /** What a device that stores must give; absent where it need not. */
  readonly giveBytes?: number;
  /** What this device stored, all fragments of its files together. */
  readonly storedBytes: number;
  /** What this device gives: what it holds, and what it still offers. */
  readonly givenBytes: number;
}
