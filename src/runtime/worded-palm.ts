// The public face: failures and notices that leave it get their words here. Everything below knows them only
// by kind.

import { isPalmError, PalmError } from '../core/model/errors.ts';
import type { Passkeys } from '../core/lock-port.ts';
import type { Policy, PolicyChange } from '../core/model/policy.ts';
import type { Role } from '../core/model/role.ts';
import type {
  ActivityStatus,
  LeaveOptions,
  NoticeStatus,
  Palm,
  PalmStatus,
  ReadOptions,
  ResumeOptions,
  StoreOptions,
  StoreResult,
} from './api.ts';
import type { Activity, ListedActivity } from './activity/told-activity.ts';
import type { Finding } from '../core/model/finding.ts';
import type { DiagnoseOptions, Diagnosis } from './doctor-api.ts';
import type { WordlessDiagnosis } from './doctor/gathering.ts';
import { inWords, type FindingWords } from './doctor/worded-diagnosis.ts';
import type { InviteOptions, InviteStatus } from './invite-api.ts';
import type { Failure } from '../core/model/failures.ts';
import type { FollowOptions, PartOptions, RecoverOptions, UpgradeOptions } from './trust-api.ts';
import type { PoolRecord, RecordOptions } from './record-api.ts';
import type { NearbyCalls, NearbyPool } from './nearby-api.ts';
import type { NearbyRun, WordlessNearby } from './nearby-run.ts';
import type { LockCalls, LockOptions, PasskeySupport, UnlockOptions } from './lock-api.ts';
import type { LockRun } from './lock-run.ts';
import type { LettingIn, PairAnswerOptions, PairCalls, PairingStatus, PairOptions } from './pair-api.ts';
import type { Notice } from './notice.ts';
import type { PairingRun } from './pairing-run.ts';
import {
  wordedRecord,
  type WordlessRecord,
  type WordlessRecordItem,
  type WordlessSecurityEvent,
} from './worded-record.ts';
import { wordedRekey, type WordlessRekey } from './rekey/worded-rekey.ts';
import { PasskeyLock } from './passkey-lock.ts';
import { pieceStream, type PieceSource } from './read/piece-stream.ts';

/** A notice in the list, before it has words. */
export interface ListedNotice extends Omit<NoticeStatus, 'text'> {
  readonly notice: Notice;
}

/** How far a pairing is, before its failure has words. */
export interface WordlessPairing extends Omit<PairingStatus, 'problem'> {
  readonly failure?: Failure;
}

export interface WordlessStatus
  extends
    Omit<PalmStatus, 'notices' | 'activity' | 'pairing' | 'rekey' | keyof WordlessNearby>,
    WordlessNearby {
  readonly rekey?: WordlessRekey;
  readonly pairing?: WordlessPairing;
  readonly notices: readonly ListedNotice[];
  readonly activity: readonly ListedActivity[];
}

/** The sentences of one language. */
export interface Texts {
  activityText(activity: Activity): string;
  errorText(failure: Failure): string;
  noticeText(notice: Notice): string;
  recordText(item: WordlessRecordItem): string;
  securityEventText(event: WordlessSecurityEvent): string;
  findingText(finding: Finding): FindingWords;
  doctorReport(diagnosis: WordlessDiagnosis): string;
}

/** Palm, with errors whose messages are for logs only. */
export interface WordlessPalm
  extends
    LockRun,
    Omit<
      Palm,
      'status' | 'read' | 'record' | 'diagnose' | keyof PairCalls | keyof NearbyCalls | keyof LockCalls
    > {
  diagnose(options?: DiagnoseOptions): Promise<WordlessDiagnosis>;
  status(): WordlessStatus;
  record(options?: RecordOptions): Promise<WordlessRecord>;
  readonly pairing: PairingRun;
  readonly lobby: NearbyRun;
  /** The pieces of the stream that `read` returns. */
  pieces(fileId: string, options: ReadOptions): PieceSource;
}

export class WordedPalm implements Palm {
  readonly ready: Promise<void>;
  readonly #palm: WordlessPalm;
  readonly #lock: PasskeyLock;
  readonly #texts: Texts;
  #activity: { readonly listed: readonly ListedActivity[]; readonly worded: readonly ActivityStatus[] };

  /** `passkeys`: those of this page; Node devices have none. */
  constructor(palm: WordlessPalm, texts: Texts, passkeys?: Passkeys) {
    this.#palm = palm;
    this.#lock = new PasskeyLock(palm, passkeys);
    this.#texts = texts;
    this.#activity = { listed: [], worded: [] };
    this.ready = this.#worded(palm.ready);
    // Anybody who awaits `ready` gets the failure; until then it must not count as unhandled.
    this.ready.catch(() => undefined);
  }

  createPool(options: { readonly name: string; readonly deviceName?: string }): Promise<void> {
    return this.#worded(this.#palm.createPool(options));
  }

  invite(options?: InviteOptions): Promise<string> {
    return this.#worded(this.#palm.invite(options));
  }

  invites(): InviteStatus[] {
    return this.#wordedNow(() => this.#palm.invites());
  }

  withdrawInvite(id: string): Promise<void> {
    return this.#worded(this.#palm.withdrawInvite(id));
  }

  join(url: string, options?: { readonly deviceName?: string }): Promise<{ readonly answered: boolean }> {
    return this.#worded(this.#palm.join(url, options));
  }

  pairOffer(options?: PairOptions): Promise<{ readonly code: string }> {
    return this.#worded(this.#palm.pairing.offer(options));
  }

  pairAnswer(code: string, options?: PairAnswerOptions): Promise<{ readonly code: string }> {
    return this.#worded(this.#palm.pairing.answer(code, options));
  }

  pairAccept(code: string, options?: LettingIn): Promise<void> {
    return this.#worded(this.#palm.pairing.accept(code, options));
  }

  pairCancel(): void {
    this.#palm.pairing.cancel();
  }

  nearby(): Promise<readonly NearbyPool[]> {
    return this.#worded(this.#palm.lobby.look());
  }

  nearbyStop(): void {
    this.#palm.lobby.stopLooking();
  }

  askToJoin(id: string, options?: { readonly deviceName?: string }): Promise<void> {
    return this.#worded(this.#palm.lobby.ask(id, options));
  }

  confirmAsk(signs: readonly string[]): Promise<void> {
    return this.#worded(this.#palm.lobby.confirm(signs));
  }

  askCancel(): void {
    this.#palm.lobby.cancel();
  }

  setListed(listed: boolean): Promise<void> {
    return this.#worded(this.#palm.lobby.setListed(listed));
  }

  compareAsk(id: string): Promise<void> {
    return this.#worded(this.#palm.lobby.compare(id));
  }

  allowAsk(id: string, digits: string): Promise<void> {
    return this.#worded(this.#palm.lobby.allow(id, digits));
  }

  refuseAsk(id: string): void {
    this.#palm.lobby.refuse(id);
  }

  store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    return this.#worded(this.#palm.store(blob, options));
  }

  resumeStore(id: string, blob?: Blob, options?: ResumeOptions): Promise<StoreResult> {
    return this.#worded(this.#palm.resumeStore(id, blob, options));
  }

  discardStore(id: string): Promise<void> {
    return this.#worded(this.#palm.discardStore(id));
  }

  read(fileId: string, options: ReadOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pieces = this.#palm.pieces(fileId, options);
    return pieceStream({
      start: (fail) => this.#worded(pieces.start((error) => fail(this.#inWords(error)))),
      next: () => this.#worded(pieces.next()),
      cancel: () => this.#worded(pieces.cancel()),
    });
  }

  openLink(link: string): Promise<{ readonly fileId: string }> {
    return this.#worded(this.#palm.openLink(link));
  }

  remove(fileId: string): Promise<void> {
    return this.#worded(this.#palm.remove(fileId));
  }

  repair(): ReturnType<Palm['repair']> {
    return this.#worded(this.#palm.repair());
  }

  pin(fileId: string): Promise<void> {
    return this.#worded(this.#palm.pin(fileId));
  }

  unpin(fileId: string): Promise<void> {
    return this.#worded(this.#palm.unpin(fileId));
  }

  rename(...given: Parameters<Palm['rename']>): ReturnType<Palm['rename']> {
    return this.#worded(this.#palm.rename(...given));
  }

  leave(options?: LeaveOptions): Promise<void> {
    return this.#worded(this.#palm.leave(options));
  }

  setDeviceName(name: string): Promise<void> {
    return this.#worded(this.#palm.setDeviceName(name));
  }

  lock(passphrase?: string, options?: LockOptions): Promise<void> {
    return this.#worded(this.#lock.lock(passphrase, options));
  }

  unlock(passphrase: string, options?: UnlockOptions): Promise<void> {
    return this.#worded(this.#lock.unlock(passphrase, options));
  }

  async passkeys(): Promise<PasskeySupport> {
    const reason = await this.#lock.whyNone();
    if (reason === undefined) return { usable: true };
    return { usable: false, problem: this.#texts.errorText({ code: 'unsupported', reason }) };
  }

  lockWithPasskey(options?: LockOptions): Promise<void> {
    return this.#worded(this.#lock.lockWithPasskey(options));
  }

  unlockWithPasskey(options?: UnlockOptions): Promise<void> {
    return this.#worded(this.#lock.unlockWithPasskey(options));
  }

  grant(deviceId: string, role: Role): Promise<void> {
    return this.#worded(this.#palm.grant(deviceId, role));
  }

  shutOut(deviceId: string): Promise<void> {
    return this.#worded(this.#palm.shutOut(deviceId));
  }

  rotate(): Promise<void> {
    return this.#worded(this.#palm.rotate());
  }

  rekey(fileIds?: readonly string[]): Promise<void> {
    return this.#worded(this.#palm.rekey(fileIds));
  }

  cancelRekey(): Promise<void> {
    return this.#worded(this.#palm.cancelRekey());
  }

  makeRecoveryCode(): Promise<{ readonly code: string }> {
    return this.#worded(this.#palm.makeRecoveryCode());
  }

  upgrade(options?: UpgradeOptions): Promise<void> {
    return this.#worded(this.#palm.upgrade(options));
  }

  followUpgrade(id: string, options?: FollowOptions): Promise<void> {
    return this.#worded(this.#palm.followUpgrade(id, options));
  }

  offerPart(id: string, options?: PartOptions): Promise<void> {
    return this.#worded(this.#palm.offerPart(id, options));
  }

  withdrawOffer(): Promise<void> {
    return this.#worded(this.#palm.withdrawOffer());
  }

  takeInPart(id: string, options?: PartOptions): Promise<void> {
    return this.#worded(this.#palm.takeInPart(id, options));
  }

  recover(code: string, options?: RecoverOptions): Promise<{ readonly code: string }> {
    return this.#worded(this.#palm.recover(code, options));
  }

  setPolicy(change: PolicyChange): Promise<void> {
    return this.#worded(this.#palm.setPolicy(change));
  }

  policy(): Policy {
    return this.#wordedNow(() => this.#palm.policy());
  }

  async record(options?: RecordOptions): Promise<PoolRecord> {
    return wordedRecord(await this.#worded(this.#palm.record(options)), this.#texts);
  }

  async diagnose(options?: DiagnoseOptions): Promise<Diagnosis> {
    return inWords(await this.#worded(this.#palm.diagnose(options)), this.#texts);
  }

  exportRecord(): Promise<Blob> {
    return this.#worded(this.#palm.exportRecord());
  }

  status(): PalmStatus {
    const { notices, activity, pairing, asking, listing, rekey, ...status } = this.#palm.status();
    const worded = notices.map(({ notice, ...told }) => ({ ...told, text: this.#texts.noticeText(notice) }));
    const told = {
      ...(pairing === undefined ? {} : { pairing: this.#withProblem(pairing) }),
      ...(asking === undefined ? {} : { asking: this.#withProblem(asking) }),
      ...(listing === undefined
        ? {}
        : { listing: { ...listing, asks: listing.asks.map((ask) => this.#withProblem(ask)) } }),
      ...wordedRekey(rekey, (failure) => this.#texts.errorText(failure)),
    };
    return { ...status, ...told, notices: worded, activity: this.#wordedActivity(activity) };
  }

  #withProblem<Status extends object>({
    failure,
    ...status
  }: Status & { readonly failure?: Failure }): Omit<Status, 'failure'> & { problem?: string } {
    return failure === undefined ? status : { ...status, problem: this.#texts.errorText(failure) };
  }

  /** Of hundreds of items, none changes between most looks. */
  #wordedActivity(listed: readonly ListedActivity[]): readonly ActivityStatus[] {
    if (this.#activity.listed === listed) return this.#activity.worded;
    const worded = listed.map(({ id, atMs, activity }) => {
      return { id, atMs, kind: activity.kind, text: this.#texts.activityText(activity) };
    });
    this.#activity = { listed, worded };
    return worded;
  }

  subscribe(listener: () => void): () => void {
    return this.#palm.subscribe(listener);
  }

  cancel(transferId: string): void {
    this.#palm.cancel(transferId);
  }

  async #worded<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  #wordedNow<Value>(call: () => Value): Value {
    try {
      return call();
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  /** A bug stays as it is. */
  #inWords(error: unknown): unknown {
    if (!isPalmError(error)) return error;
    return new PalmError(error.failure, { message: this.#texts.errorText(error.failure), cause: error });
  }
}
