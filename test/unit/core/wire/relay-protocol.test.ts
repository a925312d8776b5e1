// The relay's wire protocol: whatever is encoded decodes to the same, and nothing invalid from a stranger
// passes the decoders.

import { encode } from '@ipld/dag-cbor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import {
  MAX_ENVELOPE_BYTES,
  MAX_LISTED_POOLS,
  MAX_POOL_NAME_BYTES,
  MAX_RELAY_FRAME_BYTES,
  MAX_ROOM_CLIENTS,
} from '../../../../src/core/model/limits.ts';
import {
  type ClientFrame,
  connectionIdOf,
  decodeClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  encodeRelayFrame,
  parseConnectionId,
  RELAY_CLOSE,
  type RelayFrame,
} from '../../../../src/core/wire/relay-protocol.ts';

const hex = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const room = hex.map(parsePoolId);
const connectionId = hex.map(parseConnectionId);
const envelope = fc.uint8Array({ minLength: 1, maxLength: 600 });

/** Any characters, also those that are not shown. */
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 16 });
const listedPool = fc.record({ id: connectionId, name });

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({ kind: fc.constant('enter' as const), room }),
  fc.record({ kind: fc.constant('list' as const), name }),
  fc.record({ kind: fc.constant('look' as const) }),
  fc.record({
    kind: fc.constant('forward' as const),
    to: fc.option(connectionId, { nil: null }),
    envelope,
  }),
  fc.record({ kind: fc.constant('ping' as const) }),
);

const relayFrame: fc.Arbitrary<RelayFrame> = fc.oneof(
  fc
    .uniqueArray(connectionId, { minLength: 1, maxLength: 20 })
    .chain(([you, ...others]) =>
      you === undefined
        ? fc.constant<RelayFrame>({ kind: 'pong' })
        : fc.constant<RelayFrame>({ kind: 'entered', you, others }),
    ),
  fc.record({
    kind: fc.constant('ice' as const),
    port: fc.integer({ min: 1, max: 65_535 }),
    turn: fc.option(
      fc.record({
        username: fc.stringMatching(/^[0-9A-Za-z.]{1,100}$/),
        credential: fc.stringMatching(/^[0-9A-Za-z+/=]{1,100}$/),
        lifeMs: fc.nat(),
      }),
      { nil: null },
    ),
  }),
  fc.record({
    kind: fc.constant('pools' as const),
    pools: fc.uniqueArray(listedPool, { maxLength: MAX_LISTED_POOLS, selector: ({ id }) => id }),
  }),
  listedPool.map((pool) => ({ kind: 'listed' as const, ...pool })),
  fc.record({ kind: fc.constantFrom('arrived' as const, 'departed' as const), id: connectionId }),
  fc.record({ kind: fc.constant('envelope' as const), from: connectionId, envelope }),
  fc.record({ kind: fc.constant('pong' as const) }),
);

const someId = 'ab'.repeat(16);
const otherId = 'cd'.repeat(16);

/** Whether `decoder` accepts `bytes` or refuses them as it promises. */
function answersOrRefuses(decoder: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decoder(bytes);
    return true;
  } catch (error) {
    return isPalmError(error, 'bad-message');
  }
}

describe('round trip', () => {
  test('client frames', () => {
    fc.assert(
      fc.property(clientFrame, (frame) => {
        expect(decodeClientFrame(encodeClientFrame(frame))).toEqual(frame);
      }),
    );
  });

  test('relay frames', () => {
    fc.assert(
      fc.property(relayFrame, (frame) => {
        expect(decodeRelayFrame(encodeRelayFrame(frame))).toEqual(frame);
      }),
    );
  });

  test('the largest envelope and the fullest room fit a frame', () => {
    const bytes = new Uint8Array(MAX_ENVELOPE_BYTES).fill(7);
    const forward = encodeClientFrame({ kind: 'forward', to: parseConnectionId(someId), envelope: bytes });
    expect(forward.length).toBeLessThanOrEqual(MAX_RELAY_FRAME_BYTES);
    expect(decodeClientFrame(forward)).toMatchObject({ envelope: bytes });

    const others = Array.from({ length: MAX_ROOM_CLIENTS - 1 }, (_, index) =>
      parseConnectionId(index.toString(16).padStart(32, '0')),
    );
    const entered = encodeRelayFrame({ kind: 'entered', you: parseConnectionId(someId), others });
    expect(entered.length).toBeLessThanOrEqual(MAX_RELAY_FRAME_BYTES);
    expect(decodeRelayFrame(entered)).toMatchObject({ others });
  });

  test('a decoded envelope does not share the frame it came in', () => {
    const bytes = encodeClientFrame({ kind: 'forward', to: null, envelope: Uint8Array.of(1, 2, 3) });
    const frame = decodeClientFrame(bytes);
    bytes.fill(0);
    expect(frame).toEqual({ kind: 'forward', to: null, envelope: Uint8Array.of(1, 2, 3) });
  });
});

describe('garbage', () => {
  const damaged = fc
    .tuple(
      fc.oneof(clientFrame.map(encodeClientFrame), relayFrame.map(encodeRelayFrame)),
      fc.nat(),
      fc.nat(255),
    )
    .map(([bytes, position, value]) => {
      const copy = bytes.slice();
      copy[position % copy.length] = value;
      return copy;
    });
  // Whole values of the format that are not frames: closer to a frame than random bytes ever come.
  const foreign = fc
    .dictionary(
      fc.constantFrom('v', 'kind', 'room', 'to', 'envelope', 'you', 'others', 'id', 'from', '__proto__', 'x'),
      fc.oneof(
        fc.constantFrom(1, 2, 'enter', 'forward', 'entered', 'envelope', 'ping', 'arrived', someId, null),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.constantFrom(someId, otherId, null, 5), { maxLength: 3 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
      { noNullPrototype: true },
    )
    .map((value) => new Uint8Array(encode(value)));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged, foreign);

  test.each([
    ['decodeClientFrame', decodeClientFrame],
    ['decodeRelayFrame', decodeRelayFrame],
  ])('%s never throws anything but PalmError bad-message', (_name, decoder) => {
    fc.assert(
      fc.property(bytes, (sample) => answersOrRefuses(decoder, sample)),
      { numRuns: 2_000 },
    );
  });

  test('deep nesting is refused without a stack overflow', () => {
    const nested = new Uint8Array(MAX_RELAY_FRAME_BYTES).fill(0x81); // arrays within arrays …
    expect(answersOrRefuses(decodeClientFrame, nested)).toBe(true);
    expect(answersOrRefuses(decodeRelayFrame, nested)).toBe(true);
  });
});

describe('refusals', () => {
  const refused: [string, unknown][] = [
    ['no version', { kind: 'ping' }],
    ['another version', { v: 2, kind: 'ping' }],
    ['a version as text', { v: '1', kind: 'ping' }],
    ['no kind', { v: 1 }],
    ['an unknown kind', { v: 1, kind: 'shout' }],
    ["the relay's own kind", { v: 1, kind: 'pong' }],
    ['one key too many', { v: 1, kind: 'ping', extra: 1 }],
    ['a listing without a name', { v: 1, kind: 'list', name: '' }],
    ['a listing with a long name', { v: 1, kind: 'list', name: 'é'.repeat(MAX_POOL_NAME_BYTES / 2 + 1) }],
    ['a listing with more than a name', { v: 1, kind: 'list', name: 'Home', room: someId }],
    ['one key too few', { v: 1, kind: 'forward', to: null }],
    ['another key in place of the right one', { v: 1, kind: 'enter', space: someId }],
    ['a room that is too short', { v: 1, kind: 'enter', room: 'ab' }],
    ['a room in upper case', { v: 1, kind: 'enter', room: someId.toUpperCase() }],
    ['a room of bytes', { v: 1, kind: 'enter', room: new Uint8Array(16) }],
    ['an addressee that is no id', { v: 1, kind: 'forward', to: 'everyone', envelope: Uint8Array.of(1) }],
    ['an empty envelope', { v: 1, kind: 'forward', to: null, envelope: new Uint8Array() }],
    ['an envelope of text', { v: 1, kind: 'forward', to: null, envelope: 'hello' }],
    [
      'too large an envelope',
      { v: 1, kind: 'forward', to: null, envelope: new Uint8Array(MAX_ENVELOPE_BYTES + 1) },
    ],
    [
      'too large a frame',
      { v: 1, kind: 'forward', to: null, envelope: new Uint8Array(MAX_RELAY_FRAME_BYTES) },
    ],
    ['an array', [1, 'ping']],
    ['bytes', Uint8Array.of(1)],
    ['null', null],
  ];

  test.each(refused)('from a client: %s', (_what, value) => {
    expect(() => decodeClientFrame(new Uint8Array(encode(value)))).toThrow(
      expect.objectContaining({ name: 'PalmError', code: 'bad-message' }),
    );
  });

  const crowd = Array.from({ length: MAX_ROOM_CLIENTS }, (_, index) => index.toString(16).padStart(32, '0'));
  const refusedFromRelay: [string, unknown][] = [
    ['a room that is too full', { v: 1, kind: 'entered', you: someId, others: crowd }],
    ['you among the others', { v: 1, kind: 'entered', you: someId, others: [otherId, someId] }],
    ['a client twice', { v: 1, kind: 'entered', you: someId, others: [otherId, otherId] }],
    ['others that are no list', { v: 1, kind: 'entered', you: someId, others: { length: 0 } }],
    ['an envelope from nobody', { v: 1, kind: 'envelope', from: null, envelope: Uint8Array.of(1) }],
    ["a client's kind", { v: 1, kind: 'enter', room: someId }],
  ];

  test.each(refusedFromRelay)('from the relay: %s', (_what, value) => {
    expect(() => decodeRelayFrame(new Uint8Array(encode(value)))).toThrow(
      expect.objectContaining({ name: 'PalmError', code: 'bad-message' }),
    );
  });
});

test('a connection id is made of 16 bytes', () => {
  expect(connectionIdOf(new Uint8Array(16).fill(0xab))).toBe(someId);
  expect(() => connectionIdOf(new Uint8Array(15))).toThrow('32 hexadecimal');
});

test('every close reason fits a close frame, and every code is distinct', () => {
  const closes = Object.values(RELAY_CLOSE);
  for (const { reason } of closes) expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  expect(new Set(closes.map(({ code }) => code)).size).toBe(closes.length);
});

test.each([
  { port: 0, turn: null },
  { port: 65_536, turn: null },
  { port: 1.5, turn: null },
  { port: 1 },
  { port: 1, turn: null, host: 'elsewhere.example' },
  { port: 1, turn: 'palm' },
  { port: 1, turn: { username: 'a', credential: 'b' } },
  { port: 1, turn: { username: 'a@elsewhere.example', credential: 'b', lifeMs: 1 } },
  { port: 1, turn: { username: 'a', credential: 'b:c@elsewhere.example', lifeMs: 1 } },
  { port: 1, turn: { username: '', credential: 'b', lifeMs: 1 } },
  { port: 1, turn: { username: 'a', credential: 'b', lifeMs: -1 } },
  { port: 1, turn: { username: 'a', credential: 'b', lifeMs: 1, urls: 'turn:elsewhere.example' } },
])('no server but the relay itself can be named: %j', (fields) => {
  const bytes = encode({ v: 1, kind: 'ice', ...fields });
  expect(() => decodeRelayFrame(bytes)).toThrow(expect.objectContaining({ code: 'bad-message' }));
});
