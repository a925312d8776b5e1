// Why two devices that are not in one pool did not come together: pairing by codes, and asks to join.

export interface PairingFailed {
  readonly code: 'pairing-failed';
  readonly reason: PairingEnd;
}

export type PairingEnd =
  /** This device has no address in any network. */
  | 'no-address'
  /** Nobody scanned or answered this device's code in time. */
  | 'too-late'
  /** Both codes were exchanged, and no connection came about. */
  | 'not-connected'
  /** The connection ended before the devices were linked. */
  | 'lost'
  /** The devices are connected, and were not linked in time. */
  | 'not-linked'
  /** The other says that it is a device that was linked before: nothing shows that it is. */
  | 'already-linked'
  /** The device that is in the pool is not one that lets others in. */
  | 'may-not-invite'
  /** The other device speaks in a way that no Palm does. */
  | 'not-understood';

export interface AskingFailed {
  readonly code: 'asking-failed';
  readonly reason: AskingEnd;
}

export type AskingEnd =
  /** No such pool is listed, or no longer. */
  | 'not-listed'
  /** Nobody looked at the ask in time. */
  | 'not-answered'
  | 'refused'
  /** Too many ask there. */
  | 'busy'
  /** The two were not compared in time. */
  | 'too-late'
  /** What the two screens show differs: perhaps somebody stands between. */
  | 'differs'
  /** Not what the other screen shows; once more. */
  | 'other-signs'
  | 'other-digits'
  /** The other device, or the relay, is gone. */
  | 'lost'
  /** The relay does not list this device's pool, or no longer. */
  | 'not-shown'
  /** The asker gave it up. */
  | 'given-up'
  /** It was allowed, and did not come in in time. */
  | 'not-joined'
  /** There is no such ask, or it is at another step. */
  | 'over'
  /** The other device speaks in a way that no Palm does. */
  | 'not-understood';
