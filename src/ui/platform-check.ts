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
  /** What the browser lacks; `functions` by their names in JavaScript. */
  | {
      readonly kind: 'unfit';
      readonly missing: readonly PlatformNeed[];
      readonly functions: readonly string[];
    };

const METHODS = { Array: ['at', 'findLast', 'findLastIndex', 'toReversed', 'toSorted'] };
const STATICS = { Object: ['hasOwn'], URL: ['canParse'] };

/**
 * Functions that Palm calls and that browsers of 2020 lack. test/e2e/platform.spec.ts compares them with
 * those that the built code calls.
 */
export const NEEDED_FUNCTIONS: readonly string[] = [
  ...Object.entries(METHODS).flatMap(([owner, names]) => names.map((name) => `${owner}.prototype.${name}`)),
  ...Object.entries(STATICS).flatMap(([owner, names]) => names.map((name) => `${owner}.${name}`)),
];

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
  const functions = NEEDED_FUNCTIONS.filter((path) => !isThere(scope, path));
  return missing.length === 0 && functions.length === 0
    ? { kind: 'fit' }
    : { kind: 'unfit', missing, functions };
}

function isThere(scope: object, path: string): boolean {
  let at: unknown = scope;
  for (const name of path.split('.')) {
    if ((typeof at !== 'object' && typeof at !== 'function') || at === null) return false;
    at = Reflect.get(at, name);
  }
  return typeof at === 'function';
}
