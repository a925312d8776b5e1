// A tab's way to the device for a while: the device itself, if this tab has it, or the tab that does. A seat
// ends when the device moves to another tab.

import { PalmError } from '../../core/model/errors.ts';
import type { ReadOptions } from '../api.ts';
import type { PieceSource } from '../read/piece-stream.ts';
import type { WordlessPalm } from '../worded-palm.ts';
import { performCall, type TabCall } from './tab-calls.ts';
import type { TabOrder } from './tab-messages.ts';

/** What a seat leads to. */
export interface Device extends Pick<WordlessPalm, 'status' | 'invites' | 'policy' | 'subscribe'> {
  perform(call: TabCall, signal: AbortSignal | undefined): Promise<unknown>;
  pieces(fileId: string, options: ReadOptions): PieceSource;
  /** Nobody waits for what becomes of it. */
  order(order: TabOrder): void;
}

export const OVER = Symbol('the seat ended');

export class Seat {
  readonly device: Device;
  /** Whether the device is open behind it, or has said that it does not open. */
  isSettled = false;
  readonly #endings = new Set<() => void>();
  #isOver = false;

  constructor(device: Device) {
    this.device = device;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What is under way by this seat is heard of no more. */
  end(): void {
    this.#isOver = true;
    for (const over of this.#endings) over();
    this.#endings.clear();
  }

  /** Settles as `work` does, or resolves to OVER when the seat ends first. */
  during<Value>(work: Promise<Value>): Promise<Value | typeof OVER> {
    return new Promise((resolve, reject) => {
      const over = (): void => resolve(OVER);
      work.then(resolve, reject).finally(() => this.#endings.delete(over));
      if (this.#isOver) over();
      else this.#endings.add(over);
    });
  }
}

/** The device that this tab has itself. */
export function ownDevice(palm: WordlessPalm): Device {
  return {
    perform: (call, signal) => performCall(palm, call, signal),
    pieces: (fileId, options) => palm.pieces(fileId, options),
    order: (order) => obey(palm, order),
    status: () => palm.status(),
    invites: () => palm.invites(),
    policy: () => palm.policy(),
    subscribe: (listener) => palm.subscribe(listener),
  };
}

export function obey(palm: WordlessPalm, order: TabOrder): void {
  if (order.kind === 'cancel') palm.cancel(order.transferId);
  else palm.pairing.cancel();
}

/** What a call meets whose outcome nobody knows. */
export function endedUnheard(): PalmError {
  return new PalmError({ code: 'other-tab', reason: 'ended-unheard' });
}
