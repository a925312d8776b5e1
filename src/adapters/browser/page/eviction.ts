// Whether this browser deletes what an origin stores because nobody opened it for a while.
//
// Apple's engine does, in tabs: after seven days in which Safari was used and the origin was not, everything
// that scripts stored goes, asked for persistence or not. Apps on the Home Screen or in the Dock are exempt.
// Other engines delete only under storage pressure, what was used least recently first, and say so by
// `navigator.storage.persisted()`: a device that is used now and then keeps everything.

/** What it goes by. */
export interface EvictionTraits {
  /** `navigator.vendor`: which engine it is, whatever the browser is called. */
  readonly vendor: string;
  /** Whether the app was opened from the Home Screen or the Dock. */
  readonly isInstalled: boolean;
}

export function deletesUnused({ vendor, isInstalled }: EvictionTraits): boolean {
  return vendor.startsWith('Apple') && !isInstalled;
}

export function ownStorageIsEvictable(): boolean {
  const isInstalled = matchMedia('(display-mode: standalone)').matches;
  return deletesUnused({ vendor: navigator.vendor, isInstalled });
}
