// A port of its own: turns of the thread that the app runs on, which also takes taps and draws the page.

export interface Pauses {
  /** Resolves in a later task: what else waits for the thread has had its turn, also in a hidden page. */
  pause(): Promise<void>;
}
