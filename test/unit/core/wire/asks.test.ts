// Asks with the request that they are part of: the field comes back as it was, and nothing else passes.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concatBytes } from '../../../../src/core/model/bytes.ts';
import { parseBlockHash } from '../../../../src/core/model/ids.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import type { Ask } from '../../../../src/core/wire/asks.ts';
import { decodeMessage, encodeMessage } from '../../../../src/core/wire/messages.ts';
import { traceMarkOf } from '../../../../src/core/wire/trace-mark.ts';
import { expectThrows, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const ASKS: readonly Ask[] = [
  { kind: 'get-index', file: fileIdAt(0), fragment: 3 },
  { kind: 'get-block', hash: parseBlockHash(new Uint8Array(32)) },
  { kind: 'get-fragments', places: [{ file: fileIdAt(1), fragment: 254 }] },
];

it.each(ASKS)('$kind keeps its trace, where it has one', (ask) => {
  const marks = fc.uint8Array({ minLength: 24, maxLength: 24 }).filter(isSound);
  fc.assert(
    fc.property(fc.option(marks), fc.nat(2 ** 32 - 1), (mark, id) => {
      const message = { ...ask, id, ...(mark === null ? {} : { trace: traceMarkOf(mark) }) };
      expect(decodeMessage(concatBytes(...encodeMessage(message))).message).toEqual(message);
    }),
  );
});

it.each<[string, unknown]>([
  ['23 bytes', new Uint8Array(23).fill(1)],
  ['half a megabyte', new Uint8Array(2 ** 19).fill(1)],
  ['a trace without a span', new Uint8Array(24).fill(1, 0, 16)],
  ['a span without a trace', new Uint8Array(24).fill(1, 16)],
  ['text', '1'.repeat(24)],
  ['nothing', null],
])('a trace is not %s', (_, trace) => {
  for (const ask of [{ kind: 'get-fragments', id: 1, places: [] }, getBlock()])
    expectThrows('bad-message', () => decoded({ ...ask, trace }));
});

it('no other field passes with a trace, and no other message has one', () => {
  const trace = new Uint8Array(24).fill(1);
  expect(decoded({ ...getBlock(), trace })).toMatchObject({ trace });
  expectThrows('bad-message', () => decoded({ ...getBlock(), trace, more: 1 }));
  expectThrows('bad-message', () => decoded({ kind: 'cancel', id: 1, trace }));
});

function getBlock(): Record<string, unknown> {
  return { kind: 'get-block', id: 1, hash: new Uint8Array(32) };
}

function isSound(mark: Uint8Array): boolean {
  return mark.subarray(0, 16).some((byte) => byte > 0) && mark.subarray(16).some((byte) => byte > 0);
}

function decoded(header: unknown): unknown {
  const bytes = encodeCbor(header);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return decodeMessage(concatBytes(length, bytes)).message;
}
