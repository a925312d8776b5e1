// Who may use TURN, and whom they reach by it.

import { describe, expect, test } from 'vitest';
import {
  CREDENTIAL_LIFE_MS,
  NEVER_REACHED,
  turnPassword,
  TurnRights,
} from '../../../signaling/turn/turn-rights.ts';
import type { PoolId } from '../../../src/core/model/ids.ts';
import { parsePoolId } from '../../../src/core/model/ids.ts';
import { parseConnectionId } from '../../../src/core/wire/relay-protocol.ts';

const [OURS, THEIRS] = ['a', 'b'].map((letter) => parsePoolId(letter.repeat(32))) as [PoolId, PoolId];
const ID = parseConnectionId('0123456789abcdef'.repeat(2));
const RELAY = '10.0.0.1';
const [ONE, TWO, OTHER] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;
const PORT = 50_000;

function rightsAt(now = { ms: 0 }): TurnRights {
  return new TurnRights(
    () => now.ms,
    () => [RELAY, '127.0.0.1', '::1'],
  );
}

describe('credentials', () => {
  // Computed with OpenSSL: printf USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64
  test.each([
    ['north', '1433895918:ubergenius', 'LPjC2RzS+R/6/HEGD0+o+9Lac3M='],
    ['logen', '1358001991:1', 'yn8zQ5yZjN/DbdQrDGntBr8y/CY='],
  ])('are those of the TURN REST API: %s', (secret, username, password) => {
    expect(turnPassword(secret, username)).toBe(password);
  });

  test('end in time, and have no character that ends a part of a URL', () => {
    const rights = rightsAt();
    rights.entered(ONE, OURS);
    const { username, credential, lifeMs } = rights.credential(1_000_000_000_000, ID, ONE, OURS);
    expect(Number(username.split('.')[0]) * 1_000).toBe(1_000_000_000_000 + CREDENTIAL_LIFE_MS);
    expect(lifeMs).toBe(CREDENTIAL_LIFE_MS);
    expect(username).toMatch(/^\d+\.[0-9a-f]{64}$/);
    expect(credential).toBe(turnPassword(rights.secret, username));
    expect(username).not.toContain(OURS);
  });

  test('are good at the address that they were given to, and nowhere else', () => {
    const rights = rightsAt();
    rights.entered(ONE, OURS);
    rights.entered(ONE, THEIRS);
    rights.entered(TWO, OURS);
    const { username } = rights.credential(0, ID, ONE, OURS);
    expect(rights.roomOf(ONE, username)).toBe(OURS);
    expect(rights.roomOf(TWO, username)).toBeUndefined();
  });

  test.each([
    '',
    '1',
    '1.2',
    `1.${'0'.repeat(64)}`,
    `1.${'x'.repeat(64)}`,
    `1.${'0'.repeat(65)}`,
    '\0'.repeat(99),
  ])('that this relay did not make are nobody’s: %j', (username) => {
    const rights = rightsAt();
    rights.entered(ONE, OURS);
    expect(rights.roomOf(ONE, username)).toBeUndefined();
  });

  test('of one relay are worth nothing at another', () => {
    const [here, there] = [rightsAt(), rightsAt()];
    for (const rights of [here, there]) rights.entered(ONE, OURS);
    expect(there.roomOf(ONE, here.credential(0, ID, ONE, OURS).username)).toBeUndefined();
    expect(here.secret).not.toBe(there.secret);
  });
});

describe('whom a client reaches', () => {
  test('those of its room, and nobody else', () => {
    const rights = rightsAt();
    rights.entered(ONE, OURS);
    rights.entered(TWO, OURS);
    rights.entered(OTHER, THEIRS);
    const reached = [ONE, TWO, OTHER, '10.0.0.9'].map((address) =>
      rights.mayReach(OURS, { address, port: PORT }),
    );
    expect(reached).toEqual([true, true, false, false]);
  });

  test.each([
    RELAY,
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '::',
    '0.0.0.0',
    '169.254.1.1',
    'fe80::1',
    '224.0.0.251',
    'ff02::fb',
    '255.255.255.255',
  ])('never %s, even if a client is there', (address) => {
    const rights = rightsAt();
    rights.entered(address, OURS);
    expect(rights.mayReach(OURS, { address, port: PORT })).toBe(false);
  });

  test('no port of a service', () => {
    const rights = rightsAt();
    rights.entered(TWO, OURS);
    expect([53, 1_023, 1_024].map((port) => rights.mayReach(OURS, { address: TWO, port }))).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('one that left a moment ago, but not later', () => {
    const now = { ms: 0 };
    const rights = rightsAt(now);
    const { username } = rights.credential(0, ID, TWO, OURS);
    rights.entered(TWO, OURS);
    rights.entered(TWO, OURS);
    rights.left(TWO, OURS);
    now.ms = 1_000_000;
    expect(rights.mayReach(OURS, { address: TWO, port: PORT })).toBe(true);
    rights.left(TWO, OURS);
    now.ms += 59_000;
    expect(rights.mayReach(OURS, { address: TWO, port: PORT })).toBe(true);
    expect(rights.roomOf(TWO, username)).toBe(OURS);
    now.ms += 1_000;
    expect(rights.mayReach(OURS, { address: TWO, port: PORT })).toBe(false);
    expect(rights.roomOf(TWO, username)).toBeUndefined();
    expect(rights.knows(TWO)).toBe(false);
  });

  test('one that came back stays', () => {
    const now = { ms: 0 };
    const rights = rightsAt(now);
    rights.entered(TWO, OURS);
    rights.left(TWO, OURS);
    rights.entered(TWO, OURS);
    now.ms = 1_000_000;
    expect(rights.mayReach(OURS, { address: TWO, port: PORT })).toBe(true);
  });

  test('a crowd that comes and goes is forgotten, oldest first', () => {
    const rights = rightsAt();
    for (let number = 0; number < 5_000; number += 1) {
      const address = `10.1.${number >> 8}.${number & 255}`;
      rights.entered(address, OURS);
      rights.left(address, OURS);
    }
    expect(rights.knows('10.1.0.0')).toBe(false);
    expect(rights.knows('10.1.19.135')).toBe(true);
  });
});

test('no range for coturn begins with the unspecified address of IPv6, which it takes for all', () => {
  expect(NEVER_REACHED.filter((range) => range.startsWith('::-'))).toEqual([]);
  expect(NEVER_REACHED).toContain('::1');
});
