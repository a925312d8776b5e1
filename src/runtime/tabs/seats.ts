// How this tab gets to the device, for as long as it is open: it asks the browser for the device, and speaks
// to the tab that has it until it is this one's turn.

import type { Clock } from '../../core/ports.ts';
import type { WordlessPalm } from '../worded-palm.ts';
import { OwnerLink } from './owner-link.ts';
import { ownDevice, Seat } from './seat.ts';
import { ServingTabs } from './serving-tabs.ts';
import { decodeGreeting, GREETINGS, type Greeting } from './tab-messages.ts';
import type { DeviceRequest, HeldDevice, TabChannel, TabPorts } from './tab-ports.ts';

/** A tab that has the device answers within this, ms, unless it is busy opening or stuck. */
const ANSWERS_WITHIN_MS = 3_000;

/**
 * 'usable': this tab has the device, or speaks to the one that does. 'silent': another tab has it and does
 * not answer. 'other-version': another tab has it, and runs another version of the app.
 */
export type Sharing = 'usable' | 'silent' | 'other-version';

/** The device, run by this tab. */
export interface OpenDevice {
  readonly palm: WordlessPalm;
  /** Ends it as a crash would, at once: nothing is written any more. */
  end(): void;
}

export interface SeatsOptions {
  readonly clock: Clock;
  readonly tabs: TabPorts;
  /** An id for this tab; another at each call. */
  readonly newId: () => string;
  readonly build: string;
  readonly deviceName: string;
  /** The request that this page began with. */
  readonly firstRequest: DeviceRequest;
  readonly openOwn: () => OpenDevice;
  readonly sharing: (sharing: Sharing) => void;
  /** All that was stored is gone, as the tab says that has the device. */
  readonly gone: () => void;
  /** Another tab ended: this one runs the device now, or did so before. */
  readonly tabEnded: () => void;
  /** A seat began or ended, or shows something else. */
  readonly changed: () => void;
  readonly began: (seat: Seat, isOwn: boolean) => void;
}

interface Own {
  readonly held: HeldDevice;
  readonly device: OpenDevice;
  readonly serving: ServingTabs;
}

export class Seats {
  readonly #options: SeatsOptions;
  readonly #waiting = new Set<(seat: Seat) => void>();
  /** As the tab that has the device knows this one: another id after each freeze. */
  #tab = '';
  #presence: { hide(): void } | undefined;
  #request: DeviceRequest | undefined;
  #seat: Seat | undefined;
  #own: Own | undefined;
  #greetings: TabChannel | undefined;
  #link: { readonly owner: string; readonly device: OwnerLink } | undefined;
  #stopWaiting: (() => void) | undefined;
  #isFrozen = false;

  constructor(options: SeatsOptions) {
    this.#options = options;
    options.tabs.watchFreezing({ freezes: () => this.#freeze(), resumes: () => this.#resume() });
  }

  get current(): Seat | undefined {
    return this.#seat;
  }

  /** The seat that there is, or the next one. */
  next(): Promise<Seat> {
    const seat = this.#seat;
    if (seat !== undefined) return Promise.resolve(seat);
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  async isElsewhere(): Promise<boolean> {
    return (await this.#request?.isElsewhere) ?? false;
  }

  tellLoss(): void {
    this.#own?.serving.tellLoss();
  }

  /** Begins; called once. */
  seek(): void {
    this.#ask(this.#options.firstRequest);
  }

  #ask(request: DeviceRequest): void {
    this.#request = request;
    void request.held.then((held) => {
      if (this.#request !== request) return held.release();
      this.#run(held);
    });
    void request.isElsewhere.then(async (isElsewhere) => {
      if (!isElsewhere) return;
      const tab = this.#options.newId();
      // The other tab must see when this one has ended.
      const presence = await this.#options.tabs.showPresence(tab);
      if (this.#request !== request || this.#own !== undefined) return presence.hide();
      [this.#tab, this.#presence] = [tab, presence];
      this.#follow();
    });
  }

  #run(held: HeldDevice): void {
    const { tabs, build, newId, openOwn, tabEnded } = this.#options;
    this.#unfollow();
    this.#leaveSeat();
    const device = openOwn();
    const serving = new ServingTabs(device.palm, { tabs, build, owner: newId(), tabEnded });
    this.#own = { held, device, serving };
    this.#take(new Seat(ownDevice(device.palm)), true);
  }

  #follow(): void {
    const { tabs } = this.#options;
    this.#greetings = tabs.openChannel(GREETINGS, (message) => {
      const greeting = decodeGreeting(message);
      if (greeting?.kind === 'here') this.#met(greeting);
    });
    this.#greet();
  }

  #greet(): void {
    const { build, clock, sharing } = this.#options;
    this.#greetings?.post({ kind: 'hello', build, tab: this.#tab } satisfies Greeting);
    this.#stopWaiting?.();
    this.#stopWaiting = clock.after(ANSWERS_WITHIN_MS, () => {
      sharing('silent');
      this.#greet();
    });
  }

  #met({ build, tab: owner, to }: Greeting): void {
    if (build !== this.#options.build) {
      this.#stopWaiting?.();
      this.#leaveSeat();
      return this.#options.sharing('other-version');
    }
    if (this.#link !== undefined && this.#link.owner !== owner) this.#leaveSeat();
    // It has just begun, and has not met this tab.
    if (this.#link === undefined && to !== this.#tab) return this.#greet();
    if (to !== this.#tab) return;
    this.#link ??= { owner, device: this.#linkWith(owner) };
    this.#link.device.ask();
  }

  #linkWith(owner: string): OwnerLink {
    const { tabs, deviceName, gone } = this.#options;
    const device = new OwnerLink({
      tabs,
      tab: this.#tab,
      owner,
      deviceName,
      onGone: gone,
      onOpen: () => {
        this.#stopWaiting?.();
        this.#take(new Seat(device), false);
      },
    });
    return device;
  }

  #take(seat: Seat, isOwn: boolean): void {
    this.#seat = seat;
    seat.device.subscribe(() => {
      if (!seat.isOver) this.#options.changed();
    });
    this.#options.sharing('usable');
    for (const resolve of this.#waiting) resolve(seat);
    this.#waiting.clear();
    this.#options.began(seat, isOwn);
  }

  #leaveSeat(): void {
    const seat = this.#seat;
    this.#seat = undefined;
    seat?.end();
    this.#link?.device.close();
    this.#link = undefined;
  }

  #unfollow(): void {
    this.#stopWaiting?.();
    this.#greetings?.close();
    this.#greetings = undefined;
    this.#presence?.hide();
    this.#presence = undefined;
  }

  /**
   * A frozen tab keeps what it holds, and can do nothing: whoever is in front of another tab would wait for
   * it. So it gives the device back, and asks for it again when it goes on. If it waits in line, it goes like
   * a tab that ends, and comes back as a new one: nobody keeps its reads, or answers what it forgot.
   */
  #freeze(): void {
    if (this.#isFrozen) return;
    this.#isFrozen = true;
    this.#request?.withdraw();
    this.#request = undefined;
    this.#unfollow();
    this.#leaveSeat();
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    own.serving.close();
    own.device.end();
    own.held.release();
  }

  #resume(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#ask(this.#options.tabs.requestDevice());
  }
}
