// The calls of `window.palm` that do nothing but hand over to the pool that this device is in, or to its
// lock.

import type { Policy, PolicyChange } from '../core/model/policy.ts';
import type { Role } from '../core/model/role.ts';
import type { ResumeOptions, StoreOptions, StoreResult } from './api.ts';
import type { LackingStatus, RenameOptions } from './file-api.ts';
import type { InviteOptions, InviteStatus } from './invite-api.ts';
import type { LockOpener, LockWays } from '../core/lock-port.ts';
import type { UnlockOptions } from './lock-api.ts';
import type { Locking } from './locking.ts';
import type { OpenPool } from './open-pool.ts';
import type { RecordOptions } from './record-api.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import type { PartOptions, RecoverOptions } from './trust-api.ts';
import { namedContent } from './status.ts';
import type { WordlessRecord } from './worded-record.ts';

export abstract class PoolCalls {
  /** Once storage is open. @throws PalmError 'not-in-pool', 'locked', and what opening rejects with. */
  protected abstract pool(): Promise<OpenPool>;

  /** @throws PalmError 'not-in-pool', 'locked'. */
  protected abstract inPool(): OpenPool;

  /** Takes work of which its caller hears nothing: its failure becomes a notice. */
  protected abstract background(work: Promise<unknown>): void;

  /** Once it is known whether the device is locked. */
  protected abstract lockable(): Promise<readonly [Locking, RuntimePorts]>;

  async lockWays(): Promise<LockWays> {
    const [, ports] = await this.lockable();
    return ports.lock.ways();
  }

  async unlock(opener: LockOpener, options?: UnlockOptions): Promise<void> {
    const [locking, ports] = await this.lockable();
    await locking.unlock(ports, opener, options);
  }

  async store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    return (await this.pool()).store(blob, options);
  }

  async invite(options: InviteOptions = {}): Promise<string> {
    return (await (await this.pool()).invites.make(options)).url;
  }

  invites(): InviteStatus[] {
    return this.inPool().invites.list();
  }

  async withdrawInvite(id: string): Promise<void> {
    await (await this.pool()).invites.withdraw(id);
  }

  async resumeStore(id: string, blob?: Blob, options: ResumeOptions = {}): Promise<StoreResult> {
    return (await this.pool()).resume(id, blob, options);
  }

  async discardStore(id: string): Promise<void> {
    await (await this.pool()).discard(id);
  }

  async openLink(link: string): Promise<{ fileId: string }> {
    return (await this.pool()).openLink(link);
  }

  async remove(fileId: string): Promise<void> {
    await (await this.pool()).fileCare.remove(fileId);
  }

  async rename(fileId: string, name: string, options: RenameOptions = {}): Promise<{ fileId: string }> {
    return (await this.pool()).fileCare.rename(fileId, name, options);
  }

  async pin(fileId: string): Promise<void> {
    await (await this.pool()).fileCare.pin(fileId);
  }

  async unpin(fileId: string): Promise<void> {
    await (await this.pool()).fileCare.unpin(fileId);
  }

  async repair(): Promise<LackingStatus[]> {
    const { driver, privateFiles, repairing } = await this.pool();
    return repairing.repairNow().map(({ file, missingCount: missingFragments }) => {
      return { ...namedContent(driver.peer.catalogue, privateFiles, file), missingFragments };
    });
  }

  async grant(deviceId: string, role: Role): Promise<void> {
    await (await this.pool()).roles.grant(deviceId, role);
  }

  async shutOut(deviceId: string): Promise<void> {
    await this.shutOutAll([deviceId]);
  }

  protected async shutOutAll(deviceIds: readonly string[]): Promise<void> {
    const { roles, invites } = await this.pool();
    await roles.shutOut(deviceIds);
    for (const device of deviceIds) await invites.withdrawBehind(device);
  }

  async offerPart(id: string, { code }: PartOptions = {}): Promise<void> {
    await (await this.pool()).joiningParts.offer(id, code);
  }

  async withdrawOffer(): Promise<void> {
    await (await this.pool()).joiningParts.withdraw();
  }

  async takeInPart(id: string, { code }: PartOptions = {}): Promise<void> {
    await (await this.pool()).joiningParts.takeIn(id, code);
  }

  async rotate(): Promise<void> {
    await (await this.pool()).roles.rotate();
  }

  async rekey(fileIds?: readonly string[]): Promise<void> {
    await (await this.pool()).rekeying.rekey(fileIds);
  }

  async cancelRekey(): Promise<void> {
    await (await this.pool()).rekeying.cancel();
  }

  async makeRecoveryCode(): Promise<{ code: string }> {
    return (await this.pool()).roles.recovery.make();
  }

  async recover(code: string, options: RecoverOptions = {}): Promise<{ code: string }> {
    const { roles, invites } = await this.pool();
    const next = await roles.recovery.use(code, options);
    // The code that was given is used up: its person gets the next one, whatever fails from here.
    const withdrawn = withdrawAllBehind(invites, options.shutOut ?? []);
    this.background(withdrawn);
    await withdrawn.catch(() => undefined);
    return next;
  }

  async setPolicy(change: PolicyChange): Promise<void> {
    await (await this.pool()).setPolicy(change);
  }

  policy(): Policy {
    return this.inPool().policy();
  }

  async record(options: RecordOptions = {}): Promise<WordlessRecord> {
    return (await this.pool()).record.page(options);
  }

  async exportRecord(): Promise<Blob> {
    return (await this.pool()).record.export();
  }
}

async function withdrawAllBehind(
  invites: Pick<OpenPool['invites'], 'withdrawBehind'>,
  devices: readonly string[],
): Promise<void> {
  for (const device of devices) await invites.withdrawBehind(device);
}
