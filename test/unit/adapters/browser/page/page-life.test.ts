// What a page tells its links when it is hidden, frozen, closed, and when it comes back.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchPageLife } from '../../../../../src/adapters/browser/page/page-life.ts';

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
}

let page: FakeDocument;
let browserWindow: EventTarget;
let told: string[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  page = new FakeDocument();
  browserWindow = new EventTarget();
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', browserWindow);
  told = [];
  stop = watchPageLife({
    leaving: () => told.push('leaving'),
    freezing: () => told.push('freezing'),
    woke: (frozenMs = 0) => told.push(`woke after ${frozenMs} ms`),
  });
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function turn(visibilityState: DocumentVisibilityState): void {
  page.visibilityState = visibilityState;
  page.dispatchEvent(new Event('visibilitychange'));
}

it('a page that is hidden says goodbye, and checks its links when it is shown', () => {
  turn('hidden');
  expect(told).toEqual(['freezing']);
  turn('visible');
  expect(told).toEqual(['freezing', 'woke after 0 ms']);
});

it('a page that is frozen says goodbye, and says afterwards for how long', () => {
  page.dispatchEvent(new Event('freeze'));
  vi.advanceTimersByTime(60_000);
  page.dispatchEvent(new Event('resume'));
  expect(told).toEqual(['freezing', 'woke after 60000 ms']);
  // The same freeze is told once.
  turn('visible');
  page.dispatchEvent(new Event('resume'));
  expect(told.slice(2)).toEqual(['woke after 0 ms', 'woke after 0 ms']);
});

it('a page that is closed leaves, and one that is shown again or online checks its links', () => {
  browserWindow.dispatchEvent(new Event('pagehide'));
  expect(told).toEqual(['leaving']);
  browserWindow.dispatchEvent(new Event('pageshow'));
  browserWindow.dispatchEvent(new Event('online'));
  expect(told.slice(1)).toEqual(['woke after 0 ms', 'woke after 0 ms']);
});

it('nothing is told once the transport is closed', () => {
  stop();
  turn('hidden');
  page.dispatchEvent(new Event('freeze'));
  page.dispatchEvent(new Event('resume'));
  for (const name of ['pagehide', 'pageshow', 'online']) browserWindow.dispatchEvent(new Event(name));
  expect(told).toEqual([]);
});
