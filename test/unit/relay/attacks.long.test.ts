// Attacks on the real relay, from one machine and over loopback. During each and after it, two well-behaved
// clients link within 2 s and a page loads within 1 s; after it, the relay's process holds what it held
// before, give or take a tenth.
//
// All share the processors of one machine with other programs. So a wait does not count while these had the
// processor that the relay or its clients needed; the relay's own work counts in full. The test prints the
// wait that counts, and in brackets all of it.
//
// "Before" is the most after attacks of the same kind and size, of which the last added little: V8 keeps the
// space for new objects that it grew to, some 26 MiB, and the C library keeps pages for reuse. The
// requirement is that a further attack adds nothing beyond the tenth. Of resident memory that is some 10 MiB,
// so JavaScript's own memory, 12 MiB, is measured too.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PoolId } from '../../../src/core/model/ids.ts';
import { MAX_ROOMS } from '../../../src/core/model/limits.ts';
import { scaled, scaleNote } from '../../scale.ts';
import {
  type Attack,
  attack,
  type AttackedRelay,
  type Holding,
  describe as describeHolding,
  enterFrom,
  idle,
  loadPage,
  serveHonest,
  settled,
  startAttackedRelay,
  type Wait,
} from '../../fixtures/relay-attack-fixture.ts';
import { ROOM_A } from '../../fixtures/relay-fixture.ts';
import { bundleRelay } from '../../fixtures/relay-program.ts';
import { SCHOOL } from '../../fixtures/relay-school.ts';

/** A connection whose first packet is lost in the flood is begun again by the system after 1 s. */
const MAX_LINK_MS = 2_000;
const MAX_PAGE_MS = 2_000;
/** Run at a fraction of its size in `npm test`. */
const FACTOR = 8;
/** Attacks before the measured one: at least and at most. */
const WARM_ROUNDS = { least: 2, most: 6 };
/** A process that grows by less in one attack has its size, as a part of what it holds. */
const GROWN = 1.05;

const ONE_ADDRESS = ['127.0.0.66'];
const EIGHT_ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.0.0.${66 + index}`);

let bundle = { folder: process.env['PALM_RELAY_BUNDLE'] ?? '', remove: (): void => undefined };

beforeAll(async () => {
  if (bundle.folder === '') bundle = await bundleRelay();
}, 60_000);

afterAll(() => bundle.remove());

/**
 * A relay that has had visitors and attacks like the one to come, until its process no longer grows by them,
 * and the most that it held after one: the system's allocator keeps what it once took, at times.
 */
async function warmRelay(kind: Attack): Promise<{ readonly relay: AttackedRelay; readonly before: Holding }> {
  const relay = await startAttackedRelay(bundle.folder);
  const fresh = await relay.holds();
  let before = fresh;
  for (let round = 1; round <= WARM_ROUNDS.most; round += 1) {
    const attacker = await attack(relay, kind);
    await serveHonest(relay, Promise.resolve());
    await attacker.atFullSize;
    await attacker.stop();
    await idle(relay, fresh);
    const now = await relay.holds();
    const hasGrown = now.residentBytes > before.residentBytes * GROWN;
    before = { ...now, residentBytes: Math.max(now.residentBytes, before.residentBytes) };
    if (round >= WARM_ROUNDS.least && !hasGrown) break;
  }
  return { relay, before };
}

/**
 * Well-behaved clients and visitors before, during and after an attack: how long they waited, and what the
 * relay held.
 */
async function underAttack(full: Attack, room?: PoolId): Promise<void> {
  const kind = { ...full, size: scaled(full.size, FACTOR) };
  const { relay, before } = await warmRelay(kind);
  const attacker = await attack(relay, kind);
  const during = await serveHonest(relay, attacker.atFullSize, room);
  await attacker.atFullSize;
  const peak = await relay.holds();
  const atFullSize = await serveHonest(relay, Promise.resolve(), room);
  await attacker.stop();
  const after = await serveHonest(relay, Promise.resolve(), room);
  const last = await settled(relay, before);
  const all = [during, atFullSize, after];
  process.stdout.write(
    `${kind.kind}: links within ${inMs(all.map(({ link }) => link))}, ` +
      `pages within ${inMs(all.map(({ page }) => page))}; ` +
      `at its peak ${describeHolding(peak, before)}, after it ${describeHolding(last, before)}\n`,
  );
  for (const { link, page } of all) {
    expect(link.own).toBeLessThan(MAX_LINK_MS);
    expect(page.own).toBeLessThan(MAX_PAGE_MS);
  }
  expect(relay.lives()).toBe(true);
}

function inMs(waits: readonly Wait[]): string {
  return `${waits.map(({ own, all }) => `${own.toFixed(0)} (${all.toFixed(0)})`).join(', ')} ms`;
}

describe(`the relay under attack, ${scaleNote(FACTOR)}`, () => {
  test.each<Attack>([
    { kind: 'pipelined, then closed', size: 240, from: ONE_ADDRESS },
    { kind: 'pipelined, never read', size: 300, from: ONE_ADDRESS },
    { kind: 'one answer each, never read, over TLS', size: 2_000, from: EIGHT_ADDRESSES, secure: true },
    { kind: 'half a request', size: 4_000, from: EIGHT_ADDRESSES },
    { kind: 'silence instead of a TLS handshake', size: 4_000, from: EIGHT_ADDRESSES, secure: true },
    {
      kind: 'a TLS handshake that stops after its first message',
      size: 2_000,
      from: EIGHT_ADDRESSES,
      secure: true,
    },
    { kind: 'endless parts', size: 1_300, from: EIGHT_ADDRESSES },
    { kind: 'parts in large packets', size: 1_300, from: EIGHT_ADDRESSES },
    { kind: 'messages that stop before their end', size: 2_000, from: EIGHT_ADDRESSES },
    { kind: 'a client that is written to and does not read', size: 400, from: EIGHT_ADDRESSES },
    { kind: 'pings without end', size: 256, from: ONE_ADDRESS },
    { kind: 'a room each', size: MAX_ROOMS, from: ONE_ADDRESS },
    { kind: 'a room each', size: 2 * MAX_ROOMS, from: EIGHT_ADDRESSES },
  ])('$kind, $size from $from.length addresses', (kind) => underAttack(kind));

  test('a room whose name it knows, 512 from 8 addresses', () =>
    underAttack({ kind: 'a room whose name it knows', size: 512, from: EIGHT_ADDRESSES }, ROOM_A));

  test('a school comes in behind one address while another address attacks', async () => {
    const kind = { kind: 'half a request', size: 4_000, from: ONE_ADDRESS };
    const relay = await startAttackedRelay(bundle.folder);
    const attacker = await attack(relay, { ...kind, size: scaled(kind.size, FACTOR) });
    await attacker.atFullSize;
    const pages = Array.from({ length: SCHOOL.sockets }, () => enterFrom(relay, '127.0.0.9', ROOM_A));
    const clients = await Promise.all(pages);
    const visits = Array.from({ length: SCHOOL.devices }, () => loadPage(relay, true, '127.0.0.9'));
    await Promise.all(visits); // each is six connections, and fails on the first that is cut
    expect(clients.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true);
    await attacker.stop();
  });
});
