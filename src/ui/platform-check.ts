// Whether this browser can run Palm, checked before anything else.

export type PlatformNeed =
  | 'cryptography'
  | 'storage'
  | 'connections'
  | 'workers'
  | 'wasm'
  | 'streams'
  | 'dialogs';

export type PlatformVerdict =
  | { readonly kind: 'fit' }
  /** A plain http page of another host: browsers give it no cryptography. */
  | { readonly kind: 'insecure' }
  /** `missing`: what the browser lacks. */
  | { readonly kind: 'unfit'; readonly missing: readonly PlatformNeed[] };

export function checkPlatform(scope: typeof globalThis): PlatformVerdict {
  if (!scope.isSecureContext) return { kind: 'insecure' };
  const needed: readonly (readonly [PlatformNeed, boolean])[] = [
    ['cryptography', 'crypto' in scope && 'subtle' in scope.crypto],
    ['storage', 'indexedDB' in scope],
    ['connections', 'RTCPeerConnection' in scope],
    ['workers', 'Worker' in scope],
    ['wasm', 'WebAssembly' in scope],
    ['streams', 'TransformStream' in scope],
    ['dialogs', 'HTMLDialogElement' in scope],
  ];
  const missing = needed.filter(([, present]) => !present).map(([need]) => need);
  return missing.length === 0 ? { kind: 'fit' } : { kind: 'unfit', missing };
}
