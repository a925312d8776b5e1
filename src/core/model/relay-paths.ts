// Where the relay answers, besides serving the app: pages ask there, and the relay listens.

/** The addresses at which others reach the relay, for a page on its own machine: a JSON list of URLs. */
export const LAN_PATH = '/lan';
/** The fingerprints that an invite shows next to its code (FORMATS.md). */
export const FINGERPRINTS_PATH = '/fingerprints';
/**
 * Where a device next to the relay gives and takes blocks. Who has no token of it gets the 404 of any path
 * that is not there, with or without such a device.
 */
export const LANE_PATH = '/lane';
/**
 * At which origin the relay was asked. People get a page: opening it makes the browser ask about a new
 * certificate again.
 */
export const REACHED_PATH = '/reached';
