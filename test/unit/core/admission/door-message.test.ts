// Messages at a door: round trips, bounds, and refusal of everything else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  actMessages,
  ADMISSION_REFUSALS,
  decodeDoorMessage,
  encodeDoorMessage,
  MAX_DOOR_MESSAGE_BYTES,
  type DoorMessage,
} from '../../../../src/core/admission/door-message.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { MAX_ACT_BYTES } from '../../../../src/core/model/limits.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows } from '../../../fixtures/pool-fixture.ts';

const WANTED: DoorMessage = {
  kind: 'admission-wanted',
  ticket: seededBytes(239, 1),
  key: seededBytes(32, 2),
  exchange: seededBytes(65, 3),
  proof: seededBytes(64, 4),
  consent: seededBytes(64, 5),
};
const MESSAGES: readonly DoorMessage[] = [
  WANTED,
  ...ADMISSION_REFUSALS.map((reason) => ({ kind: 'admission-refused' as const, reason })),
  { kind: 'acts', acts: [seededBytes(300, 6), seededBytes(1, 7)] },
  { kind: 'keys', sealed: seededBytes(200, 8) },
];

describe('a message at a door', () => {
  it.each(MESSAGES)('is read back: $kind', (message) => {
    expect(decodeDoorMessage(encodeDoorMessage(message))).toEqual(message);
  });

  it('that is cut or changed is refused as a bad message only', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MESSAGES),
        fc.nat(),
        fc.uint8Array({ maxLength: 8 }),
        (message, at, junk) => {
          const bytes = encodeDoorMessage(message);
          const changed = bytes.slice();
          changed.set(junk.subarray(0, Math.max(0, bytes.length - (at % bytes.length))), at % bytes.length);
          expectOnly('bad-message', () => decodeDoorMessage(changed));
          expectOnly('bad-message', () => decodeDoorMessage(bytes.slice(0, at % bytes.length)));
        },
      ),
    );
  });

  it.each<unknown>([
    { ...WANTED, key: seededBytes(31, 2) },
    { ...WANTED, proof: seededBytes(63, 2) },
    { ...WANTED, more: 1 },
    { kind: 'admission-refused', reason: 'never' },
    { kind: 'acts', acts: [new Uint8Array(MAX_ACT_BYTES + 1)] },
    { kind: 'acts', acts: Array.from({ length: 65 }, () => new Uint8Array(1)) },
    { kind: 'hello' },
    [],
  ])('out of its bounds is refused: %#', (value) => {
    expectThrows('bad-message', () => decodeDoorMessage(encodeCbor(value)));
  });

  it('carries any number of acts in messages that may be sent', () => {
    const acts = Array.from({ length: 200 }, (_, index) =>
      new Uint8Array(index < 40 ? MAX_ACT_BYTES : 100).fill(index),
    );
    const sent = Array.from(actMessages(acts), (message) => encodeDoorMessage(message));
    for (const bytes of sent) expect(bytes.length).toBeLessThanOrEqual(MAX_DOOR_MESSAGE_BYTES);
    const read = sent.map((bytes) => decodeDoorMessage(bytes));
    const received = read.flatMap((message) => (message.kind === 'acts' ? message.acts : []));
    expect(received.map((act) => [act.length, act[0]])).toEqual(acts.map((act) => [act.length, act[0]]));
    expect([...actMessages([])]).toEqual([]);
  });
});
