// Whether this device should spare its battery or its data, where the browser tells. Where it does not, as in
// Firefox and Safari, nothing is spared.

import type { SparingReason } from '../../../core/model/sparing.ts';

/** Battery Status API (W3C), Chromium only. */
interface Battery extends EventTarget {
  readonly charging: boolean;
  /** 0 to 1. */
  readonly level: number;
}

/** Of `navigator`, with what TypeScript's DOM library lacks. */
export interface SparingSource extends Partial<Pick<Navigator, 'onLine'>> {
  getBattery?: () => Promise<Battery>;
  /** Network Information API (WICG), Chromium only. */
  readonly connection?: EventTarget & { readonly saveData?: boolean };
}

/** Phones offer to save power at this level, of 1. */
const LOW_LEVEL = 0.2;

export class BrowserSparing {
  readonly #source: SparingSource;
  readonly #listeners = new Set<() => void>();
  #battery: Battery | undefined;

  constructor(source: SparingSource = navigator) {
    this.#source = source;
    const told = (): void => {
      for (const listener of this.#listeners) listener();
    };
    source.connection?.addEventListener('change', told);
    source.getBattery?.().then(
      (battery) => {
        this.#battery = battery;
        for (const change of ['levelchange', 'chargingchange']) battery.addEventListener(change, told);
        told();
      },
      () => undefined, // the page may not ask: then nothing is known
    );
  }

  get reason(): SparingReason | undefined {
    const { charging = true, level = 1 } = this.#battery ?? {};
    if (!charging && level <= LOW_LEVEL) return 'battery-low';
    return this.#source.connection?.saveData === true ? 'data-saver' : undefined;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
