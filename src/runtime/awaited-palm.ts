// A device whose runtime is still being loaded. It is there from the page's first moment: calls that return a
// promise wait for the runtime, and until it is there the device is in no pool.

import { PalmError } from '../core/model/errors.ts';
import type { Policy, PolicyChange } from '../core/model/policy.ts';
import type { Role } from '../core/model/role.ts';
import type { LeaveOptions, ReadOptions, ResumeOptions, StoreOptions, StoreResult } from './api.ts';
import type { DiagnoseOptions } from './doctor-api.ts';
import type { WordlessDiagnosis } from './doctor/gathering.ts';
import type { InviteOptions, InviteStatus } from './invite-api.ts';
import type { LockOpener, LockWays } from '../core/lock-port.ts';
import type { UnlockOptions } from './lock-api.ts';
import type { LockRunOptions } from './lock-run.ts';
import type { RecordOptions } from './record-api.ts';
import type { PieceSource } from './read/piece-stream.ts';
import { noLists } from './status.ts';
import type { FollowOptions, PartOptions, RecoverOptions, UpgradeOptions } from './trust-api.ts';
import type { PairingRun } from './pairing-run.ts';
import type { NearbyRun } from './nearby-run.ts';
import type { WordlessPalm, WordlessStatus } from './worded-palm.ts';
import type { WordlessRecord } from './worded-record.ts';

export class AwaitedPalm implements WordlessPalm {
  readonly ready: Promise<void>;
  readonly pairing: PairingRun = {
    offer: async (options) => (await this.#coming).pairing.offer(options),
    answer: async (...given) => (await this.#coming).pairing.answer(...given),
    accept: async (...given) => (await this.#coming).pairing.accept(...given),
    cancel: () => this.#palm?.pairing.cancel(),
  };
  readonly lobby: NearbyRun = {
    look: async () => (await this.#coming).lobby.look(),
    stopLooking: () => this.#palm?.lobby.stopLooking(),
    ask: async (...given) => (await this.#coming).lobby.ask(...given),
    confirm: async (signs) => (await this.#coming).lobby.confirm(signs),
    cancel: () => this.#palm?.lobby.cancel(),
    setListed: async (listed) => (await this.#coming).lobby.setListed(listed),
    compare: async (id) => (await this.#coming).lobby.compare(id),
    allow: async (...given) => (await this.#coming).lobby.allow(...given),
    refuse: (id) => this.#palm?.lobby.refuse(id),
  };
  readonly #coming: Promise<WordlessPalm>;
  readonly #deviceName: string;
  /** Listeners, until they can be handed on. */
  readonly #listeners = new Map<() => void, () => void>();
  #palm: WordlessPalm | undefined;

  /** When `coming` rejects, so does everything that waits for it. `deviceName`: the one to begin with. */
  constructor(coming: Promise<WordlessPalm>, deviceName: string) {
    this.#deviceName = deviceName;
    this.#coming = coming.then((palm) => this.#arrived(palm));
    this.ready = this.#coming.then((palm) => palm.ready);
  }

  async createPool(options: { readonly name: string; readonly deviceName?: string }): Promise<void> {
    return (await this.#coming).createPool(options);
  }

  async invite(options?: InviteOptions): Promise<string> {
    return (await this.#coming).invite(options);
  }

  invites(): InviteStatus[] {
    if (this.#palm === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
    return this.#palm.invites();
  }

  async withdrawInvite(id: string): Promise<void> {
    return (await this.#coming).withdrawInvite(id);
  }

  async join(
    url: string,
    options?: { readonly deviceName?: string },
  ): Promise<{ readonly answered: boolean }> {
    return (await this.#coming).join(url, options);
  }

  async store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    return (await this.#coming).store(blob, options);
  }

  async resumeStore(id: string, blob?: Blob, options?: ResumeOptions): Promise<StoreResult> {
    return (await this.#coming).resumeStore(id, blob, options);
  }

  async discardStore(id: string): Promise<void> {
    return (await this.#coming).discardStore(id);
  }

  pieces(fileId: string, options: ReadOptions): PieceSource {
    if (this.#palm !== undefined) return this.#palm.pieces(fileId, options);
    const source = this.#coming.then((palm) => palm.pieces(fileId, options));
    return {
      start: async (fail) => (await source).start(fail),
      next: async () => (await source).next(),
      cancel: async () => (await source).cancel(),
    };
  }

  async openLink(link: string): Promise<{ readonly fileId: string }> {
    return (await this.#coming).openLink(link);
  }

  async remove(fileId: string): Promise<void> {
    return (await this.#coming).remove(fileId);
  }

  async repair(): ReturnType<WordlessPalm['repair']> {
    return (await this.#coming).repair();
  }

  async pin(fileId: string): Promise<void> {
    return (await this.#coming).pin(fileId);
  }

  async unpin(fileId: string): Promise<void> {
    return (await this.#coming).unpin(fileId);
  }

  async rename(...given: Parameters<WordlessPalm['rename']>): ReturnType<WordlessPalm['rename']> {
    return (await this.#coming).rename(...given);
  }

  async leave(options?: LeaveOptions): Promise<void> {
    return (await this.#coming).leave(options);
  }

  async setDeviceName(name: string): Promise<void> {
    return (await this.#coming).setDeviceName(name);
  }

  async lockWays(): Promise<LockWays> {
    return (await this.#coming).lockWays();
  }

  async lock(passphrase?: string, options?: LockRunOptions): Promise<void> {
    return (await this.#coming).lock(passphrase, options);
  }

  async unlock(opener: LockOpener, options?: UnlockOptions): Promise<void> {
    return (await this.#coming).unlock(opener, options);
  }

  async grant(deviceId: string, role: Role): Promise<void> {
    return (await this.#coming).grant(deviceId, role);
  }

  async shutOut(deviceId: string): Promise<void> {
    return (await this.#coming).shutOut(deviceId);
  }

  async rotate(): Promise<void> {
    return (await this.#coming).rotate();
  }

  async rekey(fileIds?: readonly string[]): Promise<void> {
    return (await this.#coming).rekey(fileIds);
  }

  async cancelRekey(): Promise<void> {
    return (await this.#coming).cancelRekey();
  }

  async makeRecoveryCode(): Promise<{ readonly code: string }> {
    return (await this.#coming).makeRecoveryCode();
  }

  async upgrade(options?: UpgradeOptions): Promise<void> {
    return (await this.#coming).upgrade(options);
  }

  async followUpgrade(id: string, options?: FollowOptions): Promise<void> {
    return (await this.#coming).followUpgrade(id, options);
  }

  async offerPart(id: string, options?: PartOptions): Promise<void> {
    return (await this.#coming).offerPart(id, options);
  }

  async withdrawOffer(): Promise<void> {
    return (await this.#coming).withdrawOffer();
  }

  async takeInPart(id: string, options?: PartOptions): Promise<void> {
    return (await this.#coming).takeInPart(id, options);
  }

  async recover(code: string, options?: RecoverOptions): Promise<{ readonly code: string }> {
    return (await this.#coming).recover(code, options);
  }

  async setPolicy(change: PolicyChange): Promise<void> {
    return (await this.#coming).setPolicy(change);
  }

  policy(): Policy {
    if (this.#palm === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
    return this.#palm.policy();
  }

  async record(options?: RecordOptions): Promise<WordlessRecord> {
    return (await this.#coming).record(options);
  }

  async exportRecord(): Promise<Blob> {
    return (await this.#coming).exportRecord();
  }

  async diagnose(options?: DiagnoseOptions): Promise<WordlessDiagnosis> {
    return (await this.#coming).diagnose(options);
  }

  status(): WordlessStatus {
    const device = { id: '', name: this.#deviceName };
    return this.#palm?.status() ?? { ...noLists(), device, notices: [] };
  }

  subscribe(listener: () => void): () => void {
    if (this.#palm !== undefined) return this.#palm.subscribe(listener);
    this.#listeners.set(listener, () => undefined);
    return () => {
      this.#listeners.get(listener)?.();
      this.#listeners.delete(listener);
    };
  }

  cancel(transferId: string): void {
    this.#palm?.cancel(transferId);
  }

  #arrived(palm: WordlessPalm): WordlessPalm {
    this.#palm = palm;
    for (const listener of this.#listeners.keys()) {
      this.#listeners.set(listener, palm.subscribe(listener));
    }
    return palm;
  }
}
