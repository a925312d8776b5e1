// How sending fails on a simulated link.

import { PalmError } from '../../src/core/model/errors.ts';

export function linkClosed(): PalmError {
  return new PalmError({ code: 'link-closed', reason: 'closed', detail: 'the simulated link is down' });
}

export function cancelled(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' });
}
