// Which devices answer, by way of the relay or of others, and yet cannot be linked: what access points do
// that keep their clients apart. It watches the effects of the link machine and decides nothing.
//
// Invariants: an attempt counts only if the other device answered within it and it was given all the time
// that ICE needs; a link that comes up clears its device. At most MAX_DEVICE_COUNT devices are remembered.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { LinkTrial } from '../transport-port.ts';
import type { LinkEffect } from './link-events.ts';
import type { LinkId } from './link-ids.ts';

/**
 * ICE gives no pair of addresses up sooner. What ends before was displaced: by a reload, or a later offer.
 */
const WHOLE_ATTEMPT_MS = 4_000;

interface Attempt {
  readonly link: LinkId;
  readonly begunAtMs: MonotonicMs;
  readonly isOurs: boolean;
  isAnswered: boolean;
}

interface Failures {
  count: number;
  lastAtMs: MonotonicMs;
}

export class LinkTrials {
  readonly #attempts = new Map<DeviceId, Attempt>();
  /** The one that failed longest ago first. */
  readonly #failures = new Map<DeviceId, Failures>();

  take(nowMs: MonotonicMs, effect: LinkEffect): void {
    switch (effect.kind) {
      case 'create': {
        const { device, link, initiator } = effect;
        this.#attempts.set(device, { link, begunAtMs: nowMs, isOurs: initiator, isAnswered: false });
        break;
      }
      case 'apply': {
        const attempt = this.#attemptOf(effect);
        // The other side offers only to whom it heard: its offer is an answer.
        if (attempt !== undefined) attempt.isAnswered ||= !attempt.isOurs || effect.signal.kind === 'answer';
        break;
      }
      case 'link-up':
        this.#attempts.delete(effect.device);
        this.#failures.delete(effect.device);
        break;
      case 'destroy': {
        const attempt = this.#attemptOf(effect);
        if (attempt === undefined) break;
        this.#attempts.delete(effect.device);
        if (attempt.isAnswered && nowMs - attempt.begunAtMs >= WHOLE_ATTEMPT_MS)
          this.#failed(nowMs, effect.device);
        break;
      }
      case 'letter':
      case 'ping':
      case 'link-down':
      case 'twin':
      case 'refused':
        break;
    }
  }

  /** Devices with an attempt under way that was answered, and those with which attempts failed. */
  list(nowMs: MonotonicMs): LinkTrial[] {
    const trying = [...this.#attempts].filter(([, { isAnswered }]) => isAnswered).map(([device]) => device);
    return [...new Set([...trying, ...this.#failures.keys()])].map((device) => {
      const failed = this.#failures.get(device);
      return {
        device,
        isTrying: trying.includes(device),
        failedCount: failed?.count ?? 0,
        failedForMs: failed === undefined ? Number.POSITIVE_INFINITY : nowMs - failed.lastAtMs,
      };
    });
  }

  #failed(nowMs: MonotonicMs, device: DeviceId): void {
    const count = (this.#failures.get(device)?.count ?? 0) + 1;
    this.#failures.delete(device);
    this.#failures.set(device, { count, lastAtMs: nowMs });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_DEVICE_COUNT && oldest !== undefined) this.#failures.delete(oldest);
  }

  #attemptOf({ device, link }: { readonly device: DeviceId; readonly link: LinkId }): Attempt | undefined {
    const attempt = this.#attempts.get(device);
    return attempt?.link === link ? attempt : undefined;
  }
}
