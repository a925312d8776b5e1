// Failures on this page, until the person dismisses them. Bounded: the oldest gives way.

import { signal, type ReadonlySignal } from '@preact/signals';

export interface Alert {
  readonly id: number;
  readonly text: string;
  /** Tries the failed action again; the alert is dismissed first. */
  readonly retry?: () => void;
}

/** People do not read more than this on one screen. */
const MAX_ALERTS = 5;

export class Alerts {
  readonly #alerts = signal<readonly Alert[]>([]);
  #nextId = 1;

  /** Oldest first. */
  get list(): ReadonlySignal<readonly Alert[]> {
    return this.#alerts;
  }

  /** Shows `text`; the same text is not shown twice at a time. */
  raise(text: string, retry?: () => void): void {
    const others = this.#alerts.value.filter((alert) => alert.text !== text);
    const alert = { id: this.#nextId++, text, ...(retry === undefined ? {} : { retry }) };
    this.#alerts.value = [...others, alert].slice(-MAX_ALERTS);
  }

  dismiss(id: number): void {
    this.#alerts.value = this.#alerts.value.filter((alert) => alert.id !== id);
  }
}
