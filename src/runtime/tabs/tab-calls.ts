// The calls of `WordlessPalm` that return a promise, as data: one tab makes them, another performs them. What
// becomes of a call whose performer ended before it answered is decided here.

import { isPalmError, type PalmErrorCode } from '../../core/model/errors.ts';
import type { PairingRun } from '../pairing-run.ts';
import type { NearbyRun } from '../nearby-run.ts';
import type { WordlessPalm } from '../worded-palm.ts';

type Callable = Pick<
  WordlessPalm,
  | 'createPool'
  | 'invite'
  | 'withdrawInvite'
  | 'join'
  | 'store'
  | 'resumeStore'
  | 'discardStore'
  | 'openLink'
  | 'remove'
  | 'rename'
  | 'pin'
  | 'unpin'
  | 'repair'
  | 'leave'
  | 'setDeviceName'
  | 'lockWays'
  | 'lock'
  | 'unlock'
  | 'grant'
  | 'shutOut'
  | 'rotate'
  | 'rekey'
  | 'cancelRekey'
  | 'makeRecoveryCode'
  | 'upgrade'
  | 'followUpgrade'
  | 'offerPart'
  | 'withdrawOffer'
  | 'takeInPart'
  | 'recover'
  | 'setPolicy'
  | 'record'
  | 'exportRecord'
  | 'diagnose'
>;

/** By name: what each call looks like. */
export interface Calls extends Callable {
  ready(): Promise<void>;
  pairOffer: PairingRun['offer'];
  pairAnswer: PairingRun['answer'];
  pairAccept: PairingRun['accept'];
  nearby: NearbyRun['look'];
  nearbyStop(): Promise<void>;
  askToJoin: NearbyRun['ask'];
  confirmAsk: NearbyRun['confirm'];
  askCancel(): Promise<void>;
  setListed: NearbyRun['setListed'];
  compareAsk: NearbyRun['compare'];
  allowAsk: NearbyRun['allow'];
  refuseAsk(id: string): Promise<void>;
}

export type CallName = keyof Calls;

/** A call with its arguments, which are cloneable: signals are handed over apart from them. */
export type TabCall = {
  readonly [Name in CallName]: { readonly name: Name; readonly args: Parameters<Calls[Name]> };
}[CallName];

export type CallAnswer<Name extends CallName> = Awaited<ReturnType<Calls[Name]>>;

/**
 * Whether a call may be made a second time, when nobody knows whether the first time did it: because it then
 * leads to where it would have led, or to nothing that matters.
 */
const MAY_BE_MADE_AGAIN: Readonly<Record<CallName, boolean>> = {
  ready: true,
  createPool: false,
  invite: true,
  withdrawInvite: true,
  join: true,
  pairOffer: false,
  pairAnswer: false,
  pairAccept: false,
  nearby: true,
  nearbyStop: true,
  // An ask ends with the tab that made it, and so does the list of those who ask.
  askToJoin: false,
  confirmAsk: false,
  askCancel: true,
  setListed: true,
  compareAsk: false,
  allowAsk: false,
  refuseAsk: true,
  // It goes on with the segments that were sealed, and a file that was published is found equal.
  store: true,
  resumeStore: true,
  discardStore: true,
  openLink: true,
  remove: true,
  rename: false,
  // What is pinned stays so.
  pin: true,
  unpin: true,
  repair: true,
  leave: false,
  setDeviceName: true,
  lockWays: true,
  lock: false,
  unlock: false,
  grant: true,
  shutOut: false,
  rotate: false,
  rekey: true,
  cancelRekey: true,
  makeRecoveryCode: true,
  upgrade: false,
  followUpgrade: false,
  offerPart: false,
  withdrawOffer: true,
  takeInPart: false,
  recover: false,
  setPolicy: true,
  record: true,
  exportRecord: true,
  diagnose: true,
};

/** How a call that is made again fails if the first time did it. */
const DONE_BEFORE: Partial<Record<CallName, readonly PalmErrorCode[]>> = {
  remove: ['removed-file', 'unknown-file'],
  discardStore: ['bad-argument'],
  withdrawInvite: ['bad-argument'],
};

/** How a call that is made again fails if the first time did it, and what it answered is lost. */
const ANSWER_LOST: Partial<Record<CallName, readonly PalmErrorCode[]>> = {
  join: ['already-in-pool'],
  resumeStore: ['bad-argument'],
};

export function mayBeMadeAgain({ name }: TabCall): boolean {
  return MAY_BE_MADE_AGAIN[name];
}

/** Whether `error`, of a call that was made again, says that the first time did it. */
export function wasDoneBefore({ name }: TabCall, error: unknown): boolean {
  return isPalmError(error) && (DONE_BEFORE[name] ?? []).includes(error.code);
}

/** Whether `error`, of a call that was made again, may only say that the first time did it. */
export function mayBeDoneBefore({ name }: TabCall, error: unknown): boolean {
  return isPalmError(error) && (ANSWER_LOST[name] ?? []).includes(error.code);
}

/** Undefined for what is no call. Arguments are checked by whoever performs it, as those of a script. */
export function decodeCall(value: unknown): TabCall | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value && 'args' in value)) return undefined;
  const { name, args } = value;
  if (typeof name !== 'string' || !Object.hasOwn(MAY_BE_MADE_AGAIN, name)) return undefined;
  if (!Array.isArray(args)) return undefined;
  return { name, args } as TabCall; // the tabs have one build, and scripts may pass anything, too
}

/** Performs `call` on `palm`; `signal` is for the calls that take one. */
export function performCall(palm: WordlessPalm, call: TabCall, signal?: AbortSignal): Promise<unknown> {
  const aborting = signal === undefined ? {} : { signal };
  switch (call.name) {
    case 'ready':
      return palm.ready;
    case 'pairOffer':
      return palm.pairing.offer(...call.args);
    case 'pairAnswer':
      return palm.pairing.answer(...call.args);
    case 'pairAccept':
      return palm.pairing.accept(...call.args);
    case 'nearby':
      return palm.lobby.look();
    case 'nearbyStop':
      return done(palm.lobby.stopLooking());
    case 'askToJoin':
      return palm.lobby.ask(...call.args);
    case 'confirmAsk':
      return palm.lobby.confirm(...call.args);
    case 'askCancel':
      return done(palm.lobby.cancel());
    case 'setListed':
      return palm.lobby.setListed(...call.args);
    case 'compareAsk':
      return palm.lobby.compare(...call.args);
    case 'allowAsk':
      return palm.lobby.allow(...call.args);
    case 'refuseAsk':
      return done(palm.lobby.refuse(...call.args));
    case 'store': {
      const [blob, options] = call.args;
      return palm.store(blob, { ...options, ...aborting });
    }
    case 'resumeStore': {
      const [id, blob, options] = call.args;
      return palm.resumeStore(id, blob, { ...options, ...aborting });
    }
    case 'leave':
      return palm.leave({ ...call.args[0], ...aborting });
    case 'diagnose':
      return palm.diagnose({ ...call.args[0], ...aborting });
    case 'createPool':
      return palm.createPool(...call.args);
    case 'invite':
      return palm.invite(...call.args);
    case 'withdrawInvite':
      return palm.withdrawInvite(...call.args);
    case 'join':
      return palm.join(...call.args);
    case 'discardStore':
      return palm.discardStore(...call.args);
    case 'openLink':
      return palm.openLink(...call.args);
    case 'remove':
      return palm.remove(...call.args);
    case 'rename':
      return palm.rename(...call.args);
    case 'pin':
      return palm.pin(...call.args);
    case 'unpin':
      return palm.unpin(...call.args);
    case 'repair':
      return palm.repair();
    case 'setDeviceName':
      return palm.setDeviceName(...call.args);
    case 'lockWays':
      return palm.lockWays();
    case 'lock':
      return palm.lock(...call.args);
    case 'unlock':
      return palm.unlock(...call.args);
    case 'grant':
      return palm.grant(...call.args);
    case 'shutOut':
      return palm.shutOut(...call.args);
    case 'rotate':
      return palm.rotate();
    case 'rekey':
      return palm.rekey(...call.args);
    case 'cancelRekey':
      return palm.cancelRekey();
    case 'makeRecoveryCode':
      return palm.makeRecoveryCode();
    case 'upgrade':
      return palm.upgrade(...call.args);
    case 'followUpgrade':
      return palm.followUpgrade(...call.args);
    case 'offerPart':
      return palm.offerPart(...call.args);
    case 'withdrawOffer':
      return palm.withdrawOffer(...call.args);
    case 'takeInPart':
      return palm.takeInPart(...call.args);
    case 'recover':
      return palm.recover(...call.args);
    case 'setPolicy':
      return palm.setPolicy(...call.args);
    case 'record':
      return palm.record(...call.args);
    case 'exportRecord':
      return palm.exportRecord();
  }
}

/** Of a call that says nothing when it is done. */
function done(_nothing: void): Promise<void> {
  return Promise.resolve();
}
