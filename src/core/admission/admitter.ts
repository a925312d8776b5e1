// A member's part at one door, as a machine: hears who wants to come in, one application of a device at a
// time and a few in all, and lets in whoever proved the invite, if the pool's acts allow it at that moment.
// Every application is judged only after the one before it has its act on the disk, so that none of them
// overlooks another.

import type { Application } from '../catalogue/grants/ticket.ts';
import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { AdmissionRefusal, DoorMessage } from './door-message.ts';
import type { Verdict } from './verdict.ts';

export type AdmitterInput =
  | { readonly kind: 'link-up'; readonly device: DeviceId }
  | { readonly kind: 'link-down'; readonly device: DeviceId }
  | { readonly kind: 'message'; readonly device: DeviceId; readonly message: DoorMessage }
  /** What became of `judge`; undefined if a signature does not fit, or it is for another invite. */
  | { readonly kind: 'judged'; readonly device: DeviceId; readonly verdict: Verdict | undefined }
  /** The act that `admit` asked for is on the disk, or could not be written. */
  | { readonly kind: 'admitted'; readonly device: DeviceId; readonly isWritten: boolean }
  | { readonly kind: 'tick' };

export type AdmitterEffect =
  /** Check the signatures, and then what the pool's acts say. */
  | { readonly kind: 'judge'; readonly device: DeviceId; readonly application: Application }
  /** Write the act that lets it in. */
  | { readonly kind: 'admit'; readonly device: DeviceId; readonly application: Application }
  /** Send all acts, and the keys. */
  | { readonly kind: 'give'; readonly device: DeviceId; readonly application: Application }
  | { readonly kind: 'refuse'; readonly device: DeviceId; readonly reason: AdmissionRefusal }
  | { readonly kind: 'close-link'; readonly device: DeviceId; readonly reason: string };

/**
 * Applications over one link: one, and some more because an answer was lost or this device did not know the
 * invite yet.
 */
export const MAX_APPLICATIONS = 16;
/** A newcomer that says nothing for this long gives its place to another, ms. */
export const SILENT_MS = 60_000;

interface Waiting {
  readonly device: DeviceId;
  readonly application: Application;
}

interface Newcomer {
  applicationCount: number;
  application: Application | undefined;
  silentSinceMs: MonotonicMs;
}

export class Admitter {
  readonly #newcomers = new Map<DeviceId, Newcomer>();
  /** Applications that wait, one for each newcomer at most. */
  #queue: Waiting[] = [];
  /** The application that is being judged, or whose act is being written. */
  #judging: Waiting | undefined;

  handle(nowMs: MonotonicMs, input: AdmitterInput): AdmitterEffect[] {
    const effects = this.#take(nowMs, input);
    for (const [device, { application, silentSinceMs }] of this.#newcomers) {
      if (application !== undefined || silentSinceMs + SILENT_MS > nowMs) continue;
      effects.push(...this.#close(device, 'it does not ask to be let in'));
    }
    effects.push(...this.#judgeNext());
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    const idle = [...this.#newcomers.values()].filter(({ application }) => application === undefined);
    return Math.min(Infinity, ...idle.map(({ silentSinceMs }) => silentSinceMs + SILENT_MS));
  }

  #take(nowMs: MonotonicMs, input: AdmitterInput): AdmitterEffect[] {
    switch (input.kind) {
      case 'link-up':
        this.#forget(input.device);
        this.#newcomers.set(input.device, {
          applicationCount: 0,
          application: undefined,
          silentSinceMs: nowMs,
        });
        return [];
      case 'link-down':
        this.#forget(input.device);
        return [];
      case 'message':
        return this.#takeMessage(input.device, input.message);
      case 'judged':
        return this.#takeVerdict(nowMs, input.device, input.verdict);
      case 'admitted':
        return this.#end(nowMs, input.device, (application) =>
          input.isWritten
            ? [{ kind: 'give', device: input.device, application }]
            : [{ kind: 'refuse', device: input.device, reason: 'busy' }],
        );
      case 'tick':
        return [];
    }
  }

  #takeMessage(device: DeviceId, message: DoorMessage): AdmitterEffect[] {
    const newcomer = this.#newcomers.get(device);
    if (newcomer === undefined) return [];
    // Only a newcomer speaks here, and it waits for the answer.
    if (message.kind !== 'admission-wanted' || newcomer.application !== undefined) {
      return this.#close(device, 'it does not wait for its answer');
    }
    newcomer.applicationCount += 1;
    if (newcomer.applicationCount > MAX_APPLICATIONS) return this.#close(device, 'it asks too often');
    const { kind: _, ...application } = message;
    newcomer.application = application;
    this.#queue.push({ device, application });
    return [];
  }

  #takeVerdict(nowMs: MonotonicMs, device: DeviceId, verdict: Verdict | undefined): AdmitterEffect[] {
    const judging = this.#judging;
    if (verdict === 'admit' && judging?.device === device && this.#waits(judging)) {
      return [{ kind: 'admit', ...judging }];
    }
    return this.#end(nowMs, device, (application) => {
      if (verdict === undefined || verdict === 'admit') return this.#close(device, 'it proves no invite');
      if (verdict === 'give') return [{ kind: 'give', device, application }];
      return [{ kind: 'refuse', device, reason: verdict }];
    });
  }

  /** The application that was judged is answered, if its device still waits for that. */
  #end(
    nowMs: MonotonicMs,
    device: DeviceId,
    answer: (application: Application) => AdmitterEffect[],
  ): AdmitterEffect[] {
    const judging = this.#judging;
    if (judging?.device !== device) return [];
    this.#judging = undefined;
    const newcomer = this.#newcomers.get(device);
    if (newcomer === undefined || !this.#waits(judging)) return [];
    newcomer.application = undefined;
    newcomer.silentSinceMs = nowMs;
    return answer(judging.application);
  }

  #judgeNext(): AdmitterEffect[] {
    while (this.#judging === undefined) {
      const next = this.#queue.shift();
      if (next === undefined) return [];
      if (!this.#waits(next)) continue;
      this.#judging = next;
      return [{ kind: 'judge', ...next }];
    }
    return [];
  }

  /** Whether the link over which it was asked is still there. */
  #waits({ device, application }: Waiting): boolean {
    return this.#newcomers.get(device)?.application === application;
  }

  #forget(device: DeviceId): void {
    this.#newcomers.delete(device);
    this.#queue = this.#queue.filter((waiting) => waiting.device !== device);
  }

  #close(device: DeviceId, reason: string): AdmitterEffect[] {
    this.#forget(device);
    return [{ kind: 'close-link', device, reason }];
  }
}
