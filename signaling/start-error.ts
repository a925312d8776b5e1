// The relay cannot start, and the person who started it can do something about it.

/** `message` says what happened and what to do; it is printed as it is. */
export class StartError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}
