// The relay cannot start, for a reason that the person who started it can fix.

/** `message` says what happened and what to do; it is printed unchanged. */
export class StartError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}
