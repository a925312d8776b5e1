// The device of a browser, as any of its tabs has it: one tab runs it, the others speak to it through that
// one. When that tab ends or is frozen, another gets the device and opens it from the disk, as after a
// reload; what the tabs had under way goes on there.
//
// Invariants: at most one tab runs the device, by the browser's own lock, which a tab gives back before the
// browser freezes it; a call is performed once, or again where that leads to the same
// (tab-calls.ts); a read delivers each byte once, in order.

import { PalmError } from '../../core/model/errors.ts';
import { MAX_PRIVATE_LINKS } from '../../core/model/limits.ts';
import type { Policy, PolicyChange } from '../../core/model/policy.ts';
import type { Role } from '../../core/model/role.ts';
import type { LockOpener, LockWays } from '../../core/lock-port.ts';
import type { Clock } from '../../core/ports.ts';
import type * as api from '../api.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { DiagnoseOptions } from '../doctor-api.ts';
import { type CameraProbes, examineCamera, type WordlessDiagnosis } from '../doctor/gathering.ts';
import type { InviteOptions, InviteStatus } from '../invite-api.ts';
import type { UnlockOptions } from '../lock-api.ts';
import type { LockRunOptions } from '../lock-run.ts';
import type { RecordOptions } from '../record-api.ts';
import type { PieceSource } from '../read/piece-stream.ts';
import { noLists } from '../status.ts';
import type { RecoverOptions, UpgradeOptions } from '../trust-api.ts';
import type { PairingRun } from '../pairing-run.ts';
import type { NearbyRun } from '../nearby-run.ts';
import type { WordlessPalm, WordlessStatus } from '../worded-palm.ts';
import type { WordlessRecord } from '../worded-record.ts';
import { endedUnheard, OVER, type Seat } from './seat.ts';
import { Seats, type SeatsOptions } from './seats.ts';
import { SharedRead } from './shared-read.ts';
import {
  type CallAnswer,
  type CallName,
  type Calls,
  mayBeDoneBefore,
  mayBeMadeAgain,
  type TabCall,
  wasDoneBefore,
} from './tab-calls.ts';
import type { TabOrder } from './tab-messages.ts';

export interface SharedPalmOptions extends Omit<SeatsOptions, 'changed' | 'began'> {
  readonly clock: Clock;
  /** Of this tab. */
  readonly probes: CameraProbes;
}

/** Tabs that are not frozen make their calls again within this, ms, once the device is open in another. */
const ASKED_AGAIN_WITHIN_MS = 5_000;

type StoreArgs = Parameters<Calls['store']>;

export class SharedPalm implements WordlessPalm {
  readonly ready: Promise<void>;
  readonly pairing: PairingRun = {
    offer: (...args) => this.#call('pairOffer', args),
    answer: (...args) => this.#call('pairAnswer', args),
    accept: (...args) => this.#call('pairAccept', args),
    cancel: () => this.#order({ kind: 'cancel-pairing' }),
  };
  readonly lobby: NearbyRun = {
    look: () => {
      this.#isLooking = true;
      return this.#call('nearby', []);
    },
    stopLooking: () => {
      this.#isLooking = false;
      this.#unheard(this.#call('nearbyStop', []));
    },
    ask: (...args) => this.#call('askToJoin', args),
    confirm: (signs) => this.#call('confirmAsk', [signs]),
    cancel: () => this.#unheard(this.#call('askCancel', [])),
    setListed: (listed) => this.#call('setListed', [listed]),
    compare: (id) => this.#call('compareAsk', [id]),
    allow: (...args) => this.#call('allowAsk', args),
    refuse: (id) => this.#unheard(this.#call('refuseAsk', [id])),
  };
  readonly #options: SharedPalmOptions;
  readonly #seats: Seats;
  readonly #listeners = new Set<() => void>();
  readonly #storing = new Set<StoreArgs>();
  /** Of the private files that this tab opened: the next tab that runs the device does not know them. */
  readonly #links = new Set<string>();
  /** Whether this tab looks at nearby pools: the next tab that runs the device does not know it. */
  #isLooking = false;
  /** What was seen last by a seat that ended, until the next one has more to show. */
  #lastSeen: WordlessStatus | undefined;
  /**
   * While listeners are told of a change, what all of them see: each asks, and of thousands of files the
   * answer takes milliseconds. Undefined again once one of them asks the device for anything.
   */
  #told: WordlessStatus | undefined;

  constructor(options: SharedPalmOptions) {
    this.#options = options;
    this.#seats = new Seats({
      ...options,
      changed: () => this.#changed(),
      began: (seat, isOwn) => void this.#began(seat, isOwn),
    });
    this.#seats.seek();
    this.ready = this.#call('ready', []);
  }

  createPool(...args: Parameters<WordlessPalm['createPool']>): Promise<void> {
    return this.#call('createPool', args);
  }

  invite(options?: InviteOptions): Promise<string> {
    return this.#call('invite', [options]);
  }

  invites(): InviteStatus[] {
    return this.#now().invites();
  }

  withdrawInvite(id: string): Promise<void> {
    return this.#call('withdrawInvite', [id]);
  }

  join(...args: Parameters<WordlessPalm['join']>): ReturnType<WordlessPalm['join']> {
    return this.#call('join', args);
  }

  async store(blob: Blob, { signal, ...options }: api.StoreOptions): Promise<api.StoreResult> {
    const args: StoreArgs = [blob, options];
    this.#storing.add(args);
    try {
      return this.#keepLink(await this.#call('store', args, signal));
    } finally {
      this.#storing.delete(args);
    }
  }

  async resumeStore(
    id: string,
    blob?: Blob,
    { signal, ...options }: api.ResumeOptions = {},
  ): Promise<api.StoreResult> {
    return this.#keepLink(await this.#call('resumeStore', [id, blob, options], signal));
  }

  discardStore(id: string): Promise<void> {
    return this.#call('discardStore', [id]);
  }

  pieces(fileId: string, options: api.ReadOptions): PieceSource {
    const { link } = options;
    return new SharedRead(this.#seats, fileId, options, () => {
      if (link !== undefined) this.#keepLink({ link });
    });
  }

  async openLink(link: string): Promise<{ readonly fileId: string }> {
    const opened = await this.#call('openLink', [link]);
    this.#keepLink({ link });
    return opened;
  }

  remove(fileId: string): Promise<void> {
    return this.#call('remove', [fileId]);
  }

  rename(...args: Parameters<WordlessPalm['rename']>): ReturnType<WordlessPalm['rename']> {
    return this.#call('rename', args);
  }

  pin(fileId: string): Promise<void> {
    return this.#call('pin', [fileId]);
  }

  unpin(fileId: string): Promise<void> {
    return this.#call('unpin', [fileId]);
  }

  repair(): ReturnType<WordlessPalm['repair']> {
    return this.#call('repair', []);
  }

  async leave({ signal, ...options }: api.LeaveOptions = {}): Promise<void> {
    if (this.#seats.current === undefined && (await this.#seats.isElsewhere()))
      throw new PalmError({ code: 'other-tab', reason: 'leave-there' });
    return this.#call('leave', [options], signal);
  }

  setDeviceName(name: string): Promise<void> {
    return this.#call('setDeviceName', [name]);
  }

  lockWays(): Promise<LockWays> {
    return this.#call('lockWays', []);
  }

  lock(passphrase?: string, options?: LockRunOptions): Promise<void> {
    return this.#call('lock', [passphrase, options]);
  }

  unlock(opener: LockOpener, options?: UnlockOptions): Promise<void> {
    return this.#call('unlock', [opener, options]);
  }

  grant(deviceId: string, role: Role): Promise<void> {
    return this.#call('grant', [deviceId, role]);
  }

  shutOut(deviceId: string): Promise<void> {
    return this.#call('shutOut', [deviceId]);
  }

  rotate(): Promise<void> {
    return this.#call('rotate', []);
  }

  rekey(fileIds?: readonly string[]): Promise<void> {
    return this.#call('rekey', [fileIds]);
  }

  cancelRekey(): Promise<void> {
    return this.#call('cancelRekey', []);
  }

  makeRecoveryCode(): Promise<{ readonly code: string }> {
    return this.#call('makeRecoveryCode', []);
  }

  upgrade(options?: UpgradeOptions): Promise<void> {
    return this.#call('upgrade', [options]);
  }

  followUpgrade(...args: Parameters<WordlessPalm['followUpgrade']>): Promise<void> {
    return this.#call('followUpgrade', args);
  }

  offerPart(...args: Parameters<WordlessPalm['offerPart']>): Promise<void> {
    return this.#call('offerPart', args);
  }

  withdrawOffer(): Promise<void> {
    return this.#call('withdrawOffer', []);
  }

  takeInPart(...args: Parameters<WordlessPalm['takeInPart']>): Promise<void> {
    return this.#call('takeInPart', args);
  }

  recover(code: string, options?: RecoverOptions): Promise<{ readonly code: string }> {
    return this.#call('recover', [code, options]);
  }

  setPolicy(change: PolicyChange): Promise<void> {
    return this.#call('setPolicy', [change]);
  }

  policy(): Policy {
    return this.#now().policy();
  }

  record(options?: RecordOptions): Promise<WordlessRecord> {
    return this.#call('record', [options]);
  }

  exportRecord(): Promise<Blob> {
    return this.#call('exportRecord', []);
  }

  async diagnose({ signal, camera = false }: DiagnoseOptions = {}): Promise<WordlessDiagnosis> {
    const { clock, probes } = this.#options;
    const examining = this.#call('diagnose', [], signal);
    if (!camera) return examining;
    // The browser asks for the camera in the tab that opens it, which must be the one that the person sees.
    const [diagnosis, seen] = await Promise.all([examining, examineCamera(clock, probes, signal)]);
    const findings = diagnosis.findings.map((finding) =>
      finding.what === 'camera' ? (seen ?? finding) : finding,
    );
    return { ...diagnosis, findings };
  }

  status(): WordlessStatus {
    if (this.#told !== undefined) return this.#told;
    const seat = this.#seats.current;
    const seen = seat?.isSettled === true ? seat.device.status() : (this.#lastSeen ?? seat?.device.status());
    const device = { id: '', name: this.#options.deviceName };
    return seen ?? { ...noLists(), device, notices: [] };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  cancel(transferId: string): void {
    this.#order({ kind: 'cancel', transferId });
  }

  /** All that was stored is gone: the other tabs are told. */
  tellLoss(): void {
    this.#seats.tellLoss();
  }

  /** @throws what the call does; PalmError 'other-tab' when nobody knows whether it was done. */
  async #call<Name extends CallName>(
    name: Name,
    args: Parameters<Calls[Name]>,
    signal?: AbortSignal,
  ): Promise<CallAnswer<Name>> {
    this.#told = undefined;
    const call = { name, args } as TabCall; // one of them, for each name
    for (let isAgain = false; ; isAgain = true) {
      const seat = await unlessAborted(this.#seats.next(), signal);
      try {
        const answer = await seat.during(seat.device.perform(call, signal));
        if (answer !== OVER) return answer as CallAnswer<Name>; // by whoever performs `Name`
      } catch (error) {
        if (isAgain && mayBeDoneBefore(call, error)) throw endedUnheard();
        if (!isAgain || !wasDoneBefore(call, error)) throw error;
        return undefined as CallAnswer<Name>; // these calls return nothing
      }
      if (!mayBeMadeAgain(call)) throw endedUnheard();
    }
  }

  /** Of calls that tell their caller nothing: what they end is over with the tab that ran it. */
  #unheard(work: Promise<unknown>): void {
    work.catch(() => undefined);
  }

  #order(order: TabOrder): void {
    this.#told = undefined;
    this.#seats.current?.device.order(order);
  }

  #now(): Seat['device'] {
    this.#told = undefined;
    const seat = this.#seats.current;
    if (seat === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
    return seat.device;
  }

  #keepLink<Result extends { readonly link?: string }>(result: Result): Result {
    if (result.link !== undefined && this.#links.size < MAX_PRIVATE_LINKS) this.#links.add(result.link);
    return result;
  }

  #changed(): void {
    const seat = this.#seats.current;
    if (seat?.isSettled === true) this.#lastSeen = seat.device.status();
    // What a page knows of its pool ends when the device is locked.
    if (this.#lastSeen?.lock === 'locked') this.#links.clear();
    if (this.#lastSeen?.pool !== undefined) this.#isLooking = false;
    this.#told = seat?.isSettled === true ? this.#lastSeen : undefined;
    try {
      for (const listener of this.#listeners) listener();
    } finally {
      this.#told = undefined;
    }
  }

  /** Never rejects: what fails is told by the device itself. */
  async #began(seat: Seat, isOwn: boolean): Promise<void> {
    const wasOpen = this.#lastSeen !== undefined;
    const settled = await seat
      .during(seat.device.perform({ name: 'ready', args: [] }, undefined))
      .catch(() => undefined);
    if (settled === OVER) return;
    seat.isSettled = true;
    this.#changed();
    if (!wasOpen) return;
    for (const link of this.#links)
      await seat
        .during(seat.device.perform({ name: 'openLink', args: [link] }, undefined))
        .catch(() => undefined);
    // Fails in a device that opened locked: then nobody sees the list.
    if (this.#isLooking)
      seat.during(seat.device.perform({ name: 'nearby', args: [] }, undefined)).catch(() => undefined);
    if (!isOwn || seat.isOver) return;
    this.#options.tabEnded();
    this.#options.clock.after(ASKED_AGAIN_WITHIN_MS, () => {
      if (!seat.isOver) this.#continueStores(seat);
    });
  }

  /** Those of the tab that ended, where the browser opens their files again; other tabs' go on already. */
  #continueStores({ device }: Seat): void {
    const own = Array.from(this.#storing, ([blob, { name }]) => `${blob.size} ${name}`);
    for (const { id, name, size, needs } of device.status().unfinished) {
      if (needs !== 'nothing' || own.includes(`${size} ${name}`)) continue;
      // What it meets is shown with the store, which stays interrupted then.
      device.perform({ name: 'resumeStore', args: [id] }, undefined).catch(() => undefined);
    }
  }
}
