// The connection doctor's part of the public face (docs/API.md).

import type { FindingState, Subject } from '../core/model/finding.ts';

export interface DiagnoseOptions {
  /** Open the camera for a moment, too: the browser may ask the person. Default: no. */
  readonly camera?: boolean;
  readonly signal?: AbortSignal;
}

/** What the connection doctor found about one thing. */
export interface FindingStatus {
  readonly what: Subject;
  /**
   * 'works': it was tried, and worked. 'limited': it works, but not as it could. 'blocked': something is in
   * the way. 'untried': it could not be tried; `text` says why.
   */
  readonly state: FindingState;
  /** The kind of what was found, for programs: 'links-isolated', say. */
  readonly reason: string;
  /** What is looked at, in a few words. */
  readonly title: string;
  /** What was found, in whole sentences. */
  readonly text: string;
  /** The way round; absent where nothing need be done. */
  readonly way?: string;
}

export interface Diagnosis {
  readonly atMs: number;
  readonly findings: readonly FindingStatus[];
  /**
   * All of it as text to pass on. It has no invite, token or secret of the pool, no fingerprint, and no names
   * or addresses of devices, files and relays.
   */
  readonly report: string;
}

export interface DoctorCalls {
  /**
   * Tries each thing that devices need to find and reach each other, and says what works, what is in the way
   * and the way round. Takes some seconds. Works in no pool too, and on a device that does not open.
   * @throws PalmError 'cancelled' once `signal` aborts.
   */
  diagnose(options?: DiagnoseOptions): Promise<Diagnosis>;
}
