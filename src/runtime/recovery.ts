// Recovery codes of a pool on this device: makes and uses them. A code is nowhere but where its person put
// it: acts have its public key, and nothing keeps the other half.

import type { LogPoint, RecoveredFrom } from '../core/catalogue/grants/act-body.ts';
import { signedBytesOfRecover } from '../core/catalogue/grants/act.ts';
import { codesOf, type KnownCodes } from '../core/catalogue/grants/recovers.ts';
import { equalBytes, utf8 } from '../core/model/bytes.ts';
import { PalmError } from '../core/model/errors.ts';
import type { NotAllowed } from '../core/model/not-allowed.ts';
import { parseDeviceId, type DeviceId } from '../core/model/ids.ts';
import { MAX_RECOVERED_FROM } from '../core/model/limits.ts';
import { decodeRecoveryCode, encodeRecoveryCode } from '../core/model/recovery-code.ts';
import type { Cryptography, Identity } from '../core/ports.ts';
import type { Deed } from './acts/act-writer.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import type { RecoverOptions, RecoveryStatus } from './trust-api.ts';

export interface RecoveryPorts {
  readonly driver: PeerDriver;
  readonly identity: Identity;
  readonly cryptography: Pick<Cryptography, 'newSigningPair' | 'signerOf' | 'verify'>;
  /** What a device wrote so far, as far as is known here. */
  readonly headOf: (device: DeviceId) => LogPoint | undefined;
  /** The last entries of the other branches of its log. */
  readonly otherEndsOf: (device: DeviceId) => readonly LogPoint[];
}

/** Stands where the signature will be. */
const UNSIGNED = new Uint8Array(64);
const PROBE = utf8('palm/v1/recovery-probe');

export class Recovery {
  readonly #ports: RecoveryPorts;
  #known: { readonly digest: string; readonly codes: KnownCodes } | undefined;

  constructor(ports: RecoveryPorts) {
    this.#ports = ports;
  }

  /** Undefined in a pool without roles. */
  status(): RecoveryStatus | undefined {
    if (!this.#ports.driver.peer.acts.isObeyed) return undefined;
    return { hasCode: this.#codes().open.length > 0, mayMake: this.#isFirst() };
  }

  /** @throws PalmError 'not-allowed'. */
  async make(): Promise<{ code: string }> {
    const { driver, cryptography } = this.#ports;
    const { privateKey, publicKey } = await cryptography.newSigningPair();
    await driver.acts.write(() => {
      this.#checkRoles();
      if (!this.#isFirst()) throw notAllowed('first-admins-only');
      return { kind: 'code', as: 0, recovery: publicKey };
    });
    return { code: encodeRecoveryCode(privateKey) };
  }

  /** @throws PalmError 'bad-recovery-code', 'bad-argument', 'not-allowed'. */
  async use(text: string, { shutOut = [] }: RecoverOptions): Promise<{ code: string }> {
    const { driver, identity, cryptography, headOf, otherEndsOf } = this.#ports;
    this.#checkRoles();
    const secret = decodeRecoveryCode(text);
    const out = this.#checkedOuts(shutOut);
    const key = await this.#keyOf(secret);
    const signer = await cryptography.signerOf({ privateKey: secret, publicKey: key });
    const next = await cryptography.newSigningPair();
    const self = identity.deviceId;
    const recover = (): Deed => {
      if (!isAmong(key, this.#codes().open)) throw badCode('used');
      return {
        kind: 'recover',
        admin: self,
        after: headOf(self),
        out: out.map((device): RecoveredFrom => ({ device, last: headOf(device), undone: [] })),
        code: key,
        recovery: next.publicKey,
        signature: UNSIGNED,
      };
    };
    let isUsed = false;
    const done = driver.acts.shuttingOut(async (write) => {
      const ends = out.flatMap((device) => otherEndsOf(device).map((last) => ({ device, last })));
      await write(recover, async (body) => {
        if (body.kind !== 'recover') return body;
        const { signature: _, ...order } = body;
        return { ...order, signature: await signer.sign(signedBytesOfRecover(order, identity.publicKey)) };
      });
      isUsed = true;
      // Only now it has the right to. Whatever becomes of it, the next code must be shown.
      for (const end of ends) {
        const kept = write(() => ({ kind: 'keep', as: 0, ...end }));
        driver.acts.background(kept);
        await kept.catch(() => undefined);
      }
    });
    try {
      await done;
    } catch (error) {
      if (!isUsed) throw error;
      driver.acts.background(done);
    }
    return { code: encodeRecoveryCode(next.privateKey) };
  }

  /** Whether this device has rank 0: then only a code acts on it. */
  #isFirst(): boolean {
    const { driver, identity } = this.#ports;
    return driver.peer.acts.rankOf(identity.deviceId) === 0;
  }

  #checkRoles(): void {
    const { acts } = this.#ports.driver.peer;
    if (acts.charter === undefined) throw notAllowed('no-roles');
    if (!acts.members().has(this.#ports.identity.deviceId)) throw notAllowed('not-in');
  }

  #codes(): KnownCodes {
    const { acts } = this.#ports.driver.peer;
    const digest = acts.digest();
    if (this.#known?.digest !== digest) {
      const { charter, placed } = acts;
      const codes = charter === undefined ? { open: [], closed: [] } : codesOf(placed, charter);
      this.#known = { digest, codes };
    }
    return this.#known.codes;
  }

  /**
   * The public key, of those of the pool's codes, that belongs to the secret: not every engine makes one from
   * the other.
   */
  async #keyOf(secret: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { open, closed } = this.#codes();
    for (const key of open) if (await this.#isPair(secret, key)) return key.slice();
    for (const key of closed) if (await this.#isPair(secret, key)) throw badCode('used');
    throw badCode('unknown');
  }

  async #isPair(privateKey: Uint8Array<ArrayBuffer>, publicKey: Uint8Array): Promise<boolean> {
    const { cryptography } = this.#ports;
    try {
      const signer = await cryptography.signerOf({ privateKey, publicKey });
      return await cryptography.verify(publicKey, PROBE, await signer.sign(PROBE));
    } catch {
      return false; // an engine that compares both halves refuses the wrong one
    }
  }

  #checkedOuts(ids: readonly string[]): DeviceId[] {
    const { driver, identity } = this.#ports;
    const members = driver.peer.acts.members();
    if (ids.length > MAX_RECOVERED_FROM) {
      throw new PalmError({ code: 'bad-argument', reason: 'too-many-out', max: MAX_RECOVERED_FROM });
    }
    return [...new Set(ids)].map((id) => {
      const device = parsedDevice(id);
      if (device === identity.deviceId) throw notAllowed('self');
      if (device === undefined || !members.has(device)) {
        throw new PalmError({ code: 'bad-argument', reason: 'no-device' });
      }
      return device;
    });
  }
}

function parsedDevice(id: string): DeviceId | undefined {
  try {
    return parseDeviceId(id);
  } catch {
    return undefined;
  }
}

function isAmong(key: Uint8Array, keys: readonly Uint8Array[]): boolean {
  return keys.some((each) => equalBytes(each, key));
}

function badCode(reason: 'unknown' | 'used'): PalmError {
  return new PalmError({ code: 'bad-recovery-code', reason });
}

function notAllowed(reason: NotAllowed['reason']): PalmError {
  return new PalmError({ code: 'not-allowed', reason });
}
