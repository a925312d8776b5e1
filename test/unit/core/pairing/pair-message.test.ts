// The messages of a pairing's wire: golden bytes, and a refusal of whatever is none.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import { MAX_ENVELOPE_BYTES } from '../../../../src/core/model/limits.ts';
import {
  decodePairMessage,
  encodePairMessage,
  MAX_PAIR_MESSAGE_BYTES,
  roomTag,
} from '../../../../src/core/pairing/pair-message.ts';
import { SignalWires } from '../../../../src/core/pairing/signal-wires.ts';
import vectors from '../../../vectors/pair-code.json' with { type: 'json' };
import { bytesOfHex } from '../../../fixtures/erasure-oracle.ts';

const ROOM = parsePoolId(vectors.room.room);

function isRefused(bytes: Uint8Array): boolean {
  try {
    decodePairMessage(bytes);
    return false;
  } catch (error) {
    if (!isPalmError(error, 'bad-message')) throw error;
    return true;
  }
}

describe('messages', () => {
  it.each(vectors.messages)('$message.kind', ({ message, bytes }) => {
    const decoded = decodePairMessage(bytesOfHex(bytes));
    const shown = Object.entries(decoded).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? hexOf(value) : value,
    ]);
    expect(Object.fromEntries(shown)).toEqual(message);
    expect(hexOf(encodePairMessage(decoded))).toBe(bytes);
  });

  it('are refused when cut, changed or made up, with a typed error', () => {
    for (const { bytes } of vectors.messages) {
      const whole = bytesOfHex(bytes);
      for (let length = 0; length < whole.length; length++)
        expect(isRefused(whole.slice(0, length))).toBe(true);
      fc.assert(
        fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
          const changed = whole.slice();
          changed[at] = byte;
          // Never another exception.
          expect([true, false]).toContain(isRefused(changed));
        }),
      );
    }
    const envelope = (length: number) => ({
      kind: 'envelope',
      room: new Uint8Array(8),
      envelope: new Uint8Array(length),
    });
    expect(isRefused(encodeCbor(envelope(MAX_ENVELOPE_BYTES)))).toBe(false);
    expect(isRefused(encodeCbor(envelope(MAX_ENVELOPE_BYTES + 1)))).toBe(true);
    expect(isRefused(encodeCbor(envelope(0)))).toBe(true);
    expect(encodeCbor(envelope(MAX_ENVELOPE_BYTES)).length).toBeLessThanOrEqual(MAX_PAIR_MESSAGE_BYTES);
    expect(isRefused(encodeCbor({ ...envelope(1), room: new Uint8Array(9) }))).toBe(true);
    expect(isRefused(encodeCbor({ kind: 'refused', reason: 'because' }))).toBe(true);
    expect(isRefused(encodeCbor({ kind: 'hello', device: 'nobody' }))).toBe(true);
    expect(isRefused(encodeCbor({ kind: 'keys' }))).toBe(true);
  });
});

describe('the wire', () => {
  it('names rooms by a digest', () => {
    expect(hexOf(roomTag(ROOM))).toBe(vectors.room.tag);
  });

  it('tells each transport when it comes and goes, also one that is made later, and brings envelopes to all', () => {
    const wires = new SignalWires();
    const heard: unknown[] = [];
    const listen = (name: string) =>
      wires.listen({
        wire: (_wire, isUp) => heard.push([name, isUp]),
        envelope: (_wire, room, envelope) => heard.push([name, hexOf(room), hexOf(envelope)]),
      });
    listen('pool');
    const carried: string[] = [];
    const wire = wires.open((room, envelope) => carried.push(hexOf(room), hexOf(envelope)));
    const close = listen('door');
    wires.deliver(wire, roomTag(ROOM), Uint8Array.of(1));
    close();
    wires.send(wire, ROOM, Uint8Array.of(2));
    wires.close(wire);
    wires.deliver(wire, roomTag(ROOM), Uint8Array.of(4));
    wires.send(wire, ROOM, Uint8Array.of(3));
    expect(heard).toEqual([
      ['pool', true],
      ['door', true],
      ['pool', vectors.room.tag, '01'],
      ['door', vectors.room.tag, '01'],
      ['pool', false],
    ]);
    expect(carried).toEqual([vectors.room.tag, '02']);
  });
});
