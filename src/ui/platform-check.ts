// Whether this browser can run Palm, checked before anything else.

export type PlatformVerdict =
  | { readonly kind: 'fit' }
  /** A plain http page of another host: browsers give it no cryptography. */
  | { readonly kind: 'insecure' }
  /** `missing` names what the browser lacks. */
  | { readonly kind: 'unfit'; readonly missing: readonly string[] };

export function checkPlatform(scope: typeof globalThis): PlatformVerdict {
  if (!scope.isSecureContext) return { kind: 'insecure' };
  const needed: readonly (readonly [string, boolean])[] = [
    ['cryptography (Web Crypto)', 'crypto' in scope && 'subtle' in scope.crypto],
    ['storage (IndexedDB)', 'indexedDB' in scope],
    ['connections between devices (WebRTC)', 'RTCPeerConnection' in scope],
    ['background work (module workers)', 'Worker' in scope],
    ['WebAssembly', 'WebAssembly' in scope],
    ['byte streams', 'TransformStream' in scope],
    ['dialogs', 'HTMLDialogElement' in scope],
  ];
  const missing = needed.filter(([, present]) => !present).map(([name]) => name);
  return missing.length === 0 ? { kind: 'fit' } : { kind: 'unfit', missing };
}
