// Passkeys of this browser, for the lock (WebAuthn level 3, sections 5.1.3, 5.1.4 and 10.1.4, `prf`): an
// authenticator that has verified its person makes a secret from the lock's salt, the same each time, and
// different for each passkey. Nobody checks the signatures: whoever has the secret has the key.
//
// Nothing of a passkey names the device or its pool: browsers keep the names of passkeys in the clear, also
// in their profiles, where a thief of a locked device looks.

import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { OpenPasskey, Passkeys, StoredPasskey } from '../../../core/lock-port.ts';
import { PASSKEY_SALT_BYTES, PASSKEY_SECRET_BYTES } from '../../../core/model/limits.ts';
import type { NoPasskeys } from '../../../core/model/passkey-failures.ts';
import { systemRandom } from '../../portable/random.ts';

/** How long a person may take, ms: to find a key, or a phone and its camera. Browsers bound it themselves. */
const TIMEOUT_MS = 120_000;
/** ES256, EdDSA and RS256 (IANA, COSE algorithms): some keeper lacks each of them. No signature is used. */
const ALGORITHMS = [-7, -8, -257];
const NONCE_BYTES = 32;
/** Random, so that another browser's passkey for this name is not overwritten by this one. */
const USER_ID_BYTES = 16;

export const browserPasskeys: Passkeys = {
  whyNone,
  async make() {
    const salt = systemRandom.bytes(PASSKEY_SALT_BYTES);
    const made = await prompted(() => navigator.credentials.create({ publicKey: creationOf(salt) }));
    const passkey = { credentialId: new Uint8Array(made.rawId), salt };
    try {
      // Some say that they can and then do not: what is asked for here is what will open the lock.
      const canTell = made.getClientExtensionResults().prf?.enabled === true;
      const secret = canTell ? await secretOf(passkey) : undefined;
      if (secret === undefined) throw new PalmError({ code: 'passkey-failed', reason: 'no-secret' });
      return { ...passkey, secret };
    } catch (error) {
      await retire(passkey);
      throw error;
    }
  },
  open,
  retire,
};

async function whyNone(): Promise<NoPasskeys | undefined> {
  if (isAddress(location.hostname)) return 'passkey-address';
  // Typed as always there.
  const { PublicKeyCredential: webAuthn } = globalThis as {
    PublicKeyCredential?: typeof PublicKeyCredential;
  };
  if (webAuthn === undefined) return 'no-passkeys';
  // Engines without this function may have the extension: only the passkey tells then.
  if (!('getClientCapabilities' in webAuthn)) return undefined;
  const capabilities = await webAuthn.getClientCapabilities().catch(() => undefined);
  return capabilities?.['extension:prf'] === false ? 'passkey-prf' : undefined;
}

async function open(passkey: StoredPasskey): Promise<OpenPasskey> {
  const secret = await secretOf(passkey);
  if (secret === undefined) throw new PalmError({ code: 'passkey-failed', reason: 'wrong' });
  return { ...passkey, secret };
}

async function secretOf({ credentialId, salt }: StoredPasskey): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const asked = await prompted(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: systemRandom.bytes(NONCE_BYTES),
        rpId: location.hostname,
        allowCredentials: [{ type: 'public-key', id: credentialId }],
        userVerification: 'required',
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const secret = bytesOf(asked.getClientExtensionResults().prf?.results?.first);
  return secret?.length === PASSKEY_SECRET_BYTES ? secret : undefined;
}

function creationOf(salt: Uint8Array<ArrayBuffer>): PublicKeyCredentialCreationOptions {
  const name = ['Palm', new Date().toISOString().slice(0, 10)].join(' ');
  return {
    challenge: systemRandom.bytes(NONCE_BYTES),
    // Its hostname: a passkey of a wider domain could be asked for by pages of its other hosts.
    rp: { id: location.hostname, name: 'Palm' },
    user: { id: systemRandom.bytes(USER_ID_BYTES), name, displayName: name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    // Phones have secrets for discoverable passkeys only. A key without room for one more may do without: the
    // lock's row has the id.
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    attestation: 'none',
    timeout: TIMEOUT_MS,
    extensions: { prf: { eval: { first: salt } } },
  };
}

/** Never rejects. Where the browser cannot pass it on, the person may delete the passkey from a list. */
async function retire({ credentialId }: StoredPasskey): Promise<void> {
  const { PublicKeyCredential: webAuthn } = globalThis as { PublicKeyCredential?: Signalling };
  const unknown = { rpId: location.hostname, credentialId: inBase64Url(credentialId) };
  await webAuthn?.signalUnknownCredential?.(unknown).catch(() => undefined);
}

/** Not in the library types yet (WebAuthn level 3, section 5.1.10). */
interface Signalling {
  signalUnknownCredential?(unknown: { readonly rpId: string; readonly credentialId: string }): Promise<void>;
}

async function prompted(prompt: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await prompt();
    if (credential instanceof PublicKeyCredential) return credential;
    throw new PalmError({ code: 'passkey-failed', reason: 'not-used' });
  } catch (error) {
    if (isPalmError(error)) throw error;
    throw new PalmError(failureOf(error), { cause: error });
  }
}

function failureOf(error: unknown): PalmError['failure'] {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // A prompt that was closed, ran out of time, or found no such passkey: browsers do not say which.
  if (name === 'NotAllowedError' || name === 'AbortError')
    return { code: 'passkey-failed', reason: 'not-used' };
  // No authenticator here verifies its person, or can keep a passkey at all.
  if (name === 'ConstraintError' || name === 'NotSupportedError')
    return { code: 'passkey-failed', reason: 'no-secret' };
  return { code: 'passkey-failed', reason: 'refused', detail: `${name}: ${message}` };
}

/** WebAuthn wants a domain: an IP address is none (section 5.1.3, step 8). */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+(\.\d+){3}$/.test(hostname);
}

function bytesOf(value: BufferSource | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (value === undefined) return undefined;
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice());
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
}

function inBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
