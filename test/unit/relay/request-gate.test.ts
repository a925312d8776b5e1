// Requests that come together cut their connection before Node makes anything of them; bodies that look like
// requests do not, and hide none.

import { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { gateRequests } from '../../../signaling/request-gate.ts';

const MOST = 8;
const REQUEST = 'GET / HTTP/1.1\r\nHost: likely\r\n\r\n';
const FLOOD = REQUEST.repeat(MOST + 1);
/** What looks like a head with a body that would hide a flood. */
const LIE = 'x\r\nContent-Length: 999999\r\n\r\n';

/** Whether the connection is cut when these come, one after another. */
function cuts(...chunks: readonly string[]): boolean {
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  gateRequests(socket, MOST);
  for (const chunk of chunks) socket.push(Buffer.from(chunk, 'latin1'));
  return socket.destroyed;
}

function post(length: number, more = ''): string {
  return `POST /lane HTTP/1.1\r\nHost: likely\r\nContent-Length: ${length}${more}\r\n\r\n`;
}

test('cuts a connection at more requests together than may wait, and not before', () => {
  expect(cuts(REQUEST.repeat(MOST))).toBe(false);
  expect(cuts(FLOOD)).toBe(true);
  expect(cuts(REQUEST.repeat(MOST), REQUEST.repeat(MOST))).toBe(false);
  expect(cuts(REQUEST.slice(0, 9), REQUEST.slice(9) + FLOOD)).toBe(true);
});

test('leaves bodies alone whose length was seen, in any pieces', () => {
  expect(cuts(post(FLOOD.length) + FLOOD)).toBe(false);
  expect(cuts(post(2 * FLOOD.length), FLOOD, FLOOD)).toBe(false);
  expect(cuts(post(FLOOD.length), FLOOD + post(FLOOD.length), FLOOD, REQUEST)).toBe(false);
});

test.each([
  ['after a body', [post(3) + 'abc' + FLOOD]],
  ['after a body in pieces', [post(FLOOD.length), FLOOD, FLOOD]],
  ['after half of a body', [post(4), `ab`, `cd${FLOOD}`]],
  ['in a body in chunks', [`POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n${LIE}`, FLOOD]],
  [
    'behind a head in two pieces',
    ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked', `\r\n\r\n1d\r\n${LIE}`, FLOOD],
  ],
  ['behind two lengths', [post(999_999, '\r\nContent-Length: 1'), FLOOD]],
  ['behind a length that is none', [post(1).replace(': 1', ': +999999'), FLOOD]],
  [
    'behind a header whose name ends like it',
    [post(0).replace('Content', 'X-Content').replace(': 0', ': 99999'), FLOOD],
  ],
] as const)('cuts a flood %s', (_, chunks) => {
  expect(cuts(...chunks)).toBe(true);
});
