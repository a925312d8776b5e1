// Nearby pools and asks to join, as the public face shows them. Documented in docs/API.md.

/** A pool that a device of it lists at the relay. Its name is what that device says, and proves nothing. */
export interface NearbyPool {
  /** For `askToJoin`; of this listing, and new for each. */
  readonly id: string;
  readonly name: string;
}

export interface NearbyStatus {
  readonly relay: 'connecting' | 'connected' | 'lost';
  readonly pools: readonly NearbyPool[];
}

/** How far this device's ask to join is. */
export interface AskingStatus {
  /**
   * 'asking': nobody has looked at it yet. 'comparing': two people compare, each by what the other screen
   * shows. 'joining': both have. 'failed': over, for the reason in `problem`.
   */
  readonly step: 'asking' | 'comparing' | 'joining' | 'failed';
  /** The name of the pool, as it was listed. */
  readonly pool: string;
  /** Six digits, from 'comparing' on: to be typed on the other device. */
  readonly digits?: string;
  /** While 'comparing': twelve signs, among them the four that the other screen shows. */
  readonly choices?: readonly string[];
  /** Those four, once `confirmAsk` had them right. */
  readonly signs?: readonly string[];
  /** The other device's person has typed the digits: from here only `confirmAsk` lacks. */
  readonly allowed?: true;
  /** When this step is given up, ms since the Unix epoch, by this device's clock. */
  readonly untilMs?: number;
  /** Why it failed, and what to do next. */
  readonly problem?: string;
}

/** A device that asks to join. */
export interface AskStatus {
  readonly id: string;
  /** What it calls itself. */
  readonly name: string;
  /**
   * 'asking': waits for somebody to look. 'comparing': its screen shows six digits, and this one four signs.
   * 'allowed': the digits were right, and it may come in. 'joined': it did. 'failed': over, see `problem`.
   */
  readonly step: 'asking' | 'comparing' | 'allowed' | 'joined' | 'failed';
  /** Four signs, from 'comparing' on: the person at the other device picks them out. */
  readonly signs?: readonly string[];
  /** The six digits, once `allowAsk` had them right. */
  readonly digits?: string;
  readonly untilMs?: number;
  readonly problem?: string;
}

/** While this device lists its pool. */
export interface ListingStatus {
  readonly relay: 'connecting' | 'connected' | 'lost';
  /** Oldest first; bounded. */
  readonly asks: readonly AskStatus[];
}

/** What the status has of them. */
export interface NearbyParts {
  /** Pools that are listed at the relay, from `nearby` on. */
  readonly nearby?: NearbyStatus;
  /** This device's ask to join one, or how the last one ended. */
  readonly asking?: AskingStatus;
  /** While this device lists its pool: who asks to join. */
  readonly listing?: ListingStatus;
}

export interface NearbyCalls {
  /**
   * Pools that are listed at the relay now. From then on `status().nearby` follows the list, until
   * `nearbyStop`, or until this device is in a pool. Empty after some seconds without a relay.
   * @throws PalmError 'already-in-pool'; 'locked'; 'unsupported'.
   */
  nearby(): Promise<readonly NearbyPool[]>;
  nearbyStop(): void;
  /**
   * Asks a listed pool to let this device in. Resolves once it is in: when somebody there has typed the
   * digits that `status().asking` has here, and `confirmAsk` was given the signs that are shown there.
   * Another ask of this device is given up.
   * @throws PalmError 'asking-failed'; 'bad-invite'; 'already-in-pool'; 'cancelled'.
   */
  askToJoin(id: string, options?: { readonly deviceName?: string }): Promise<void>;
  /**
   * The four signs that the other screen shows, in their order. One mistake is forgiven.
   * @throws PalmError 'asking-failed': `failure.reason` 'other-signs' ends nothing, 'differs' ends the ask.
   */
  confirmAsk(signs: readonly string[]): Promise<void>;
  /** Gives this device's ask up, also while it waits to be let in, or forgets how it ended. */
  askCancel(): void;
  /**
   * Whether this device lists its pool by name for whoever is at the relay. Off until it is called, and again
   * after this page; for devices that may invite.
   * @throws PalmError 'not-allowed'; 'not-in-pool'; 'unsupported'.
   */
  setListed(listed: boolean): Promise<void>;
  /** Begins to compare with a device of `status().listing.asks`. @throws PalmError 'asking-failed'. */
  compareAsk(id: string): Promise<void>;
  /**
   * The digits that the other screen shows. If they are right, the device gets an invite for it alone. One
   * mistake is forgiven.
   * @throws PalmError 'asking-failed': 'other-digits' ends nothing, 'differs' ends the ask.
   */
  allowAsk(id: string, digits: string): Promise<void>;
  /** Refuses it; takes one that has ended off the list. */
  refuseAsk(id: string): void;
}
