// What tabs of one browser need of it to share one device. Types only.

/** Messages between the tabs that opened a channel of one name. */
export interface TabChannel {
  /** Copies `message` to all others. @throws DOMException 'DataCloneError' for what cannot be copied. */
  post(message: unknown): void;
  close(): void;
}

/** The right to run the device. Only one tab has it at a time. */
export interface HeldDevice {
  /** Lets the next tab have it. */
  release(): void;
}

/** A request for that right. */
export interface DeviceRequest {
  /** Resolves when this tab has the device. */
  readonly held: Promise<HeldDevice>;
  /** Whether another tab has it at the moment of the request. */
  readonly isElsewhere: Promise<boolean>;
  /** Withdraws the request: `held` never settles. No effect on what is held. */
  withdraw(): void;
}

export interface TabPorts {
  /** `onMessage` gets what other tabs post, in the order in which each posted it. */
  openChannel(name: string, onMessage: (message: unknown) => void): TabChannel;
  requestDevice(): DeviceRequest;
  /** Shows that the tab with this id is there, until `hide` is called or its page ends. */
  showPresence(tabId: string): Promise<{ hide(): void }>;
  /** Resolves when the tab with this id is there no more, or at once if it never showed itself. */
  absenceOf(tabId: string): Promise<void>;
  /**
   * `freezes` is called as the last thing before the browser stops this page's code, perhaps for hours, and
   * `resumes` when it lets the page go on.
   */
  watchFreezing(life: { freezes(): void; resumes(): void }): void;
}
