// The header of W3C Trace Context, as its specification has it (level 1, 3.2), and as nobody should.

import { expect, it } from 'vitest';
import { traceMarkIn, traceparentOf } from '../../../../src/core/wire/trace-mark.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

it.each([`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-00`, `cc-${TRACE}-${SPAN}-01-what-comes-later`])(
  'reads %s',
  (header) => {
    const mark = traceMarkIn(header);
    expect(mark && traceparentOf(mark)).toBe(`00-${TRACE}-${SPAN}-01`);
  },
);

it.each([
  '',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01x`,
  `00-${TRACE.slice(1)}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `\n00-${TRACE}-${SPAN}-01`,
])('begins nothing with %j', (header) => {
  expect(traceMarkIn(header)).toBeUndefined();
});
