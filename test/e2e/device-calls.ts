// `window.palm` (src/runtime/api.ts) of a device's tab, seen from the test, whatever engine runs it; only
// small plain data crosses over. Every method that calls Palm throws PalmFailure when Palm rejects.

import { randomBytes } from 'node:crypto';
import { encodeInvite } from '../../src/core/model/invite.ts';
import { FIRST_EPOCH, POOL_SECRET_BYTES } from '../../src/core/model/pool-keys.ts';
import type { InviteOptions } from '../../src/runtime/invite-api.ts';
import type { PalmStatus, ReadOptions, StoreOptions, StoreResult } from '../../src/runtime/api.ts';
import type { Outcome } from './page-side.ts';
import type { ReadBytes } from './seeded-bytes.ts';

/** A file's content: `length` bytes of `seededBytes(seed, length)`. */
export interface Content {
  readonly seed: number;
  readonly length: number;
}

/** A PalmError that left a page, with its code. */
class PalmFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'PalmFailure';
    this.code = code;
  }
}

/** How long a test waits for a status, ms: links form in some seconds on a busy machine. */
const WAIT_MS = 30_000;
/** The interval for checking the status when no change is announced, ms. */
export const LOOK_MS = 250;

export abstract class DeviceCalls {
  readonly name: string;

  protected constructor(name: string) {
    this.name = name;
  }

  /** What `work` returns in the open tab. It travels as text, so it refers to nothing outside itself. */
  protected abstract run<Argument, Value>(
    work: (argument: Argument) => Value | Promise<Value>,
    argument: Argument,
  ): Promise<Value>;

  async createPool(poolName: string): Promise<void> {
    const outcome = await this.run(
      (options) => window.palmTest.outcome(() => window.palm.createPool(options)),
      { name: poolName, deviceName: this.name },
    );
    this.#take(outcome);
  }

  /** Unless a test says otherwise, an invite is for all of its devices. */
  async invite(options: InviteOptions = { uses: 100 }): Promise<string> {
    const outcome = await this.run(
      (given) => window.palmTest.outcome(() => window.palm.invite(given)),
      options,
    );
    return this.#take(outcome);
  }

  /**
   * A pool as earlier versions made them, without a charter or a name. Returns its invite, which has no end.
   * Its secret is made here, and nobody is there to answer the join.
   */
  async createOldPool(): Promise<string> {
    const secret = new Uint8Array(randomBytes(POOL_SECRET_BYTES));
    const invite = encodeInvite({ secret, epoch: FIRST_EPOCH });
    await this.run(([url, deviceName]) => void window.palm.join(url, { deviceName }), [
      invite,
      this.name,
    ] as const);
    await this.waitFor('the pool', ({ pool }) => pool !== undefined);
    return invite;
  }

  async join(invite: string): Promise<{ readonly answered: boolean }> {
    const outcome = await this.run(
      ([url, deviceName]) => window.palmTest.outcome(() => window.palm.join(url, { deviceName })),
      [invite, this.name] as const,
    );
    return this.#take(outcome);
  }

  /** The first code of a pairing. */
  async pairOffer(): Promise<string> {
    const outcome = await this.run(
      (deviceName) => window.palmTest.outcome(() => window.palm.pairOffer({ deviceName })),
      this.name,
    );
    return this.#take(outcome).code;
  }

  async pairAnswer(offer: string): Promise<string> {
    const outcome = await this.run(
      ([code, deviceName]) => window.palmTest.outcome(() => window.palm.pairAnswer(code, { deviceName })),
      [offer, this.name] as const,
    );
    return this.#take(outcome).code;
  }

  /** Resolves once the two are linked. */
  async pairAccept(answer: string): Promise<void> {
    this.#take(await this.run((code) => window.palmTest.outcome(() => window.palm.pairAccept(code)), answer));
  }

  async store(content: Content, options: Omit<StoreOptions, 'signal'>): Promise<StoreResult> {
    const outcome = await this.run(
      ([{ seed, length }, given]) => {
        const blob = new Blob([window.palmTest.seededBytes(seed, length)]);
        return window.palmTest.outcome(() => window.palm.store(blob, given));
      },
      [content, options] as const,
    );
    return this.#take(outcome);
  }

  /** Reads a file, or a range of it, to its end. */
  async read(fileId: string, options: Omit<ReadOptions, 'signal'> = {}): Promise<ReadBytes> {
    const outcome = await this.run(
      ([id, given]) => window.palmTest.outcome(() => window.palmTest.readAll(window.palm.read(id, given))),
      [fileId, options] as const,
    );
    return this.#take(outcome);
  }

  async openLink(link: string): Promise<{ readonly fileId: string }> {
    const outcome = await this.run(
      (given) => window.palmTest.outcome(() => window.palm.openLink(given)),
      link,
    );
    return this.#take(outcome);
  }

  /** Asks to join the pool that `admin` lists from now on, and does what the people at both do. */
  async joinByAsking(admin: DeviceCalls): Promise<void> {
    this.#take(await admin.run(() => window.palmTest.outcome(() => window.palm.setListed(true)), undefined));
    await this.run(() => window.palmTest.outcome(() => window.palm.nearby()), undefined);
    await this.waitFor('a nearby pool', ({ nearby }) => nearby?.pools.length === 1);
    const asking = this.run(
      (deviceName) =>
        window.palmTest.outcome(async () => {
          const [pool] = window.palm.status().nearby?.pools ?? [];
          await window.palm.askToJoin(pool?.id ?? '', { deviceName });
        }),
      this.name,
    );
    const { listing } = await admin.waitFor('the ask', (status) => status.listing?.asks.length === 1);
    const id = listing?.asks[0]?.id ?? '';
    this.#take(await admin.run((ask) => window.palmTest.outcome(() => window.palm.compareAsk(ask)), id));
    const isComparing = (status: PalmStatus): boolean =>
      [status.asking?.step, status.listing?.asks[0]?.step].includes('comparing');
    const signs = (await admin.waitFor('its signs', isComparing)).listing?.asks[0]?.signs ?? [];
    const digits = (await this.waitFor('its digits', isComparing)).asking?.digits ?? '';
    this.#take(
      await admin.run(([ask, typed]) => window.palmTest.outcome(() => window.palm.allowAsk(ask, typed)), [
        id,
        digits,
      ] as const),
    );
    this.#take(
      await this.run((chosen) => window.palmTest.outcome(() => window.palm.confirmAsk(chosen)), signs),
    );
    this.#take(await asking);
  }

  async status(): Promise<PalmStatus> {
    return this.run(() => window.palm.status(), undefined);
  }

  /** Waits until the status satisfies `holds`; the error names `what` and the last status. */
  async waitFor(what: string, holds: (status: PalmStatus) => boolean, waitMs = WAIT_MS): Promise<PalmStatus> {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const status = await this.status();
      if (holds(status)) return status;
      if (performance.now() > deadlineMs) {
        const seen = JSON.stringify(status, undefined, 2);
        throw new Error(`${this.name} waited ${waitMs} ms for ${what}. Its last status:\n${seen}`);
      }
      await this.nextChange();
    }
  }

  /** Resolves when Palm announces a change, or after LOOK_MS. */
  protected async nextChange(): Promise<void> {
    await this.run((atMostMs) => window.palmTest.nextChange(atMostMs), LOOK_MS);
  }

  #take<Value>(outcome: Outcome<Value>): Value {
    if (outcome.kind === 'ok') return outcome.value;
    throw new PalmFailure(outcome.code, `${this.name}: ${outcome.message}`);
  }
}

/** `work` called with `argument`, as an expression. */
export function expressionOf<Argument, Value>(
  work: (argument: Argument) => Value | Promise<Value>,
  argument: Argument,
): string {
  return `(${String(work)})(${JSON.stringify(argument)})`;
}
