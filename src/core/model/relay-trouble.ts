// Why the relay cannot be reached, as far as a page can find out by trying.

export type RelayTrouble =
  /** The browser says that this device has no network. */
  | { readonly kind: 'offline' }
  /** Nothing answers, not even with a refusal. */
  | { readonly kind: 'no-answer' }
  /**
   * Connections fail at once. Either no relay listens there, or it has a certificate that the browser does
   * not accept: pages are not told which.
   */
  | { readonly kind: 'refused' }
  /**
   * Another program answers. `status`: of HTTP; 0 when it leads elsewhere, as sign-in pages of networks do.
   */
  | { readonly kind: 'not-palm'; readonly status: number }
  /**
   * The relay answers but is asked for by another name than the page has, so that it refuses. `seen`: that
   * origin; undefined when the relay does not say, because the name is none of its own.
   */
  | { readonly kind: 'other-host'; readonly seen: string | undefined }
  /** The relay answers requests, and WebSockets do not get through. */
  | { readonly kind: 'no-socket' }
  /** The relay itself closed the WebSocket, and said why. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Nothing is in the way any more: the next attempt to connect should succeed. */
  | { readonly kind: 'passed' };
