// The device's status for many requests: made when one needs it, and again after something changed. In a pool
// of ten thousand files a status for each request would be most of the work, for strangers' requests too.

import type { Palm, PalmStatus } from '../../runtime/api.ts';

export class RecentStatus {
  readonly #palm: Pick<Palm, 'status' | 'subscribe'>;
  readonly #unsubscribe: () => void;
  #status: PalmStatus | undefined;

  constructor(palm: Pick<Palm, 'status' | 'subscribe'>) {
    this.#palm = palm;
    this.#unsubscribe = palm.subscribe(() => this.changed());
  }

  now(): PalmStatus {
    this.#status ??= this.#palm.status();
    return this.#status;
  }

  /** Listeners hear of a change a moment later; whoever caused one knows it now. */
  changed(): void {
    this.#status = undefined;
  }

  close(): void {
    this.#unsubscribe();
  }
}
