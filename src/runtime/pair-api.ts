// Pairing without a relay, as the public face shows it. Documented in docs/API.md.

/** How far a pairing is. */
export interface PairingStatus {
  /**
   * 'offering': this device shows the first code, and waits for the answer to it. 'answering': it scanned
   * one, shows the answer, and waits for the other device to scan it. 'linking': the codes were exchanged.
   * 'linked': done. 'failed': over, for the reason in `problem`.
   */
  readonly step: 'offering' | 'answering' | 'linking' | 'linked' | 'failed';
  /** The code to be shown, while 'offering' or 'answering'. */
  readonly code?: string;
  /** When this step is given up, ms since the Unix epoch, by this device's clock. */
  readonly untilMs?: number;
  /** The id of the other device, when 'linked'. */
  readonly deviceId?: string;
  /** Why it failed, and what to do next. */
  readonly problem?: string;
}

export interface PairOptions {
  /** This device's name, if it is in no pool yet. */
  readonly deviceName?: string;
}

export interface LettingIn {
  /**
   * Whether this device, if it is in a pool, may let the other in that is in none. Default true, as for an
   * invite that a program makes. With false such a code is refused with `bad-pair-code` (`failure.reason`
   * 'newcomer'), which ends nothing: ask the person, and call again.
   */
  readonly letIn?: boolean;
}

export interface PairAnswerOptions extends PairOptions, LettingIn {}

export interface PairCalls {
  /**
   * The first code, for the other device to scan; valid for some minutes, and for one answer. Another pairing
   * of this device is given up.
   * @throws PalmError 'pairing-failed' without a network; 'locked'; 'unsupported'.
   */
  pairOffer(options?: PairOptions): Promise<{ readonly code: string }>;
  /**
   * The answer to another device's first code. `status().pairing` tells how it goes on from there.
   * @throws PalmError 'bad-pair-code', which changes nothing; and as `pairOffer`.
   */
  pairAnswer(code: string, options?: PairAnswerOptions): Promise<{ readonly code: string }>;
  /**
   * Takes the answer to this device's first code. Resolves once the two devices are linked in one pool: one
   * that was in none has been let in, by an invite for it alone.
   * @throws PalmError 'bad-pair-code', which changes nothing; 'pairing-failed'; 'bad-invite'.
   */
  pairAccept(code: string, options?: LettingIn): Promise<void>;
  /** Gives up the pairing, or forgets how it ended. */
  pairCancel(): void;
}
