// Nearby pools over the real runtime and the relay's real rooms: who is listed, who comes in, and how each
// step ends.

import { expect, test } from 'vitest';
import { ASK_MS, COMPARE_MS, JOIN_MS } from '../../src/runtime/nearby/ask-rules.ts';
import { reachableCount } from './device.ts';
import { askOf, asksOf, codeOf, failing, LONG_MS, Stage } from './nearby-stage.ts';

test('a device asks, two people compare, and it is in, by an invite for it alone (seed 5_001)', async () => {
  const stage = new Stage(5_001);
  const [admin, member] = await stage.pool();
  const newcomer = await stage.newcomer();
  expect(await stage.world.settled('it looks', newcomer.pool.nearby())).toEqual([]);
  await stage.list(admin);
  await stage.world.until('it is seen', () => newcomer.pool.status().nearby?.pools.length === 1);
  const asked = await stage.ask(newcomer, 'Anna’s phone');
  await stage.world.until('somebody asks', () => asksOf(admin).length === 1);
  // Nothing is shown, on either side, before a person wants to compare.
  expect(askOf(admin)).toMatchObject({ name: 'Anna’s phone', step: 'asking' });
  expect(askOf(admin).signs).toBeUndefined();
  expect(newcomer.pool.status().asking).toMatchObject({ step: 'asking' });

  const [ask, asking] = await stage.shown(admin, newcomer);
  // Each screen has what the other must be told, and not what must be entered there.
  expect(ask.digits).toBeUndefined();
  expect(asking.signs).toBeUndefined();
  expect(ask.signs).toHaveLength(4);
  expect(asking.digits).toMatch(/^\d{6}$/);
  expect(new Set(asking.choices).size).toBe(12);
  for (const sign of ask.signs ?? []) expect(asking.choices).toContain(sign);

  await stage.world.settled('it is allowed', admin.pool.allowAsk(ask.id, asking.digits ?? ''));
  await stage.world.until('it hears', () => newcomer.pool.status().asking?.allowed === true);
  // One side alone lets nobody in.
  await stage.world.pass(10_000);
  expect(newcomer.pool.status().pool).toBeUndefined();
  expect(askOf(admin)).toMatchObject({ step: 'allowed', signs: ask.signs, digits: asking.digits });
  await stage.world.settled('it confirms', newcomer.pool.confirmAsk(ask.signs ?? []));
  await stage.world.until('it is in', () => asked.outcome === 'in', LONG_MS);
  await stage.world.until('all are linked', () => reachableCount(newcomer) === 3, LONG_MS);
  expect(newcomer.pool.status()).toMatchObject({ role: 'member', device: { name: 'Anna’s phone' } });
  expect(newcomer.pool.status().asking).toBeUndefined();
  expect(newcomer.pool.status().nearby).toBeUndefined();
  await stage.world.until('it is told', () => askOf(admin).step === 'joined');
  expect(member.pool.invites()).toMatchObject([{ state: 'used', uses: 1 }]);
  expect(stage.network.bugs).toEqual([]);
});

test('a pool is listed by devices that want it, while they are there (seed 5_002)', async () => {
  const stage = new Stage(5_002);
  const [admin, member] = await stage.pool();
  const newcomer = await stage.newcomer();
  await stage.world.settled('it looks', newcomer.pool.nearby());
  const count = (): number => newcomer.pool.status().nearby?.pools.length ?? 0;
  expect(count()).toBe(0);
  await expect(stage.world.settled('a member lists', member.pool.setListed(true))).rejects.toMatchObject({
    failure: { code: 'not-allowed', reason: 'admins-only' },
  });
  await stage.list(admin);
  await stage.world.until('it is seen', () => count() === 1);
  await stage.world.settled('it stops', admin.pool.setListed(false));
  await stage.world.until('it is not', () => count() === 0);
  expect(admin.pool.status().listing).toBeUndefined();
  // Who takes it back at once is not listed a moment later.
  const both = [admin.pool.setListed(true), admin.pool.setListed(false)];
  await stage.world.settled('both', Promise.all(both));
  await stage.world.pass(5_000);
  expect(count()).toBe(0);
  await stage.list(admin);
  await stage.world.until('it is seen', () => count() === 1);
  admin.kill();
  await stage.world.until('it is gone', () => count() === 0);
  await admin.reopen();
  await stage.world.pass(20_000);
  expect(count()).toBe(0);
  expect(admin.pool.status().listing).toBeUndefined();
  // A locked, left or pool-less device lists nothing.
  await expect(stage.world.settled('a newcomer lists', newcomer.pool.setListed(true))).rejects.toMatchObject({
    failure: { code: 'not-in-pool' },
  });
  expect(stage.network.bugs).toEqual([]);
});

test('one whose relay was away is listed again, and asks that were open end with a reason (seed 5_003)', async () => {
  const stage = new Stage(5_003);
  const [admin] = await stage.pool();
  const newcomer = await stage.newcomer();
  await stage.list(admin);
  const asked = await stage.ask(newcomer);
  await stage.shown(admin, newcomer);
  stage.network.relay.stop();
  await stage.world.until('it fails', () => asked.outcome === 'lost');
  await stage.world.until('here, too', () => askOf(admin).step === 'failed');
  stage.network.relay.start();
  await stage.world.until('it is listed', () => newcomer.pool.status().nearby?.pools.length === 1);
  expect(newcomer.pool.status().asking?.problem).toContain('lost');
});

test('what is entered wrong once may be entered again, and not twice (seed 5_004)', async () => {
  const stage = new Stage(5_004);
  const [admin] = await stage.pool();
  const newcomer = await stage.newcomer();
  await stage.list(admin);
  const asked = await stage.ask(newcomer);
  const [ask, { digits = '' }] = await stage.shown(admin, newcomer);
  const wrong = digits === '000000' ? '000001' : '000000';
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, wrong))).rejects.toEqual(
    failing('other-digits'),
  );
  await expect(newcomer.pool.confirmAsk([])).rejects.toEqual(failing('other-signs'));
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, wrong))).rejects.toEqual(
    failing('differs'),
  );
  await stage.world.until('it hears', () => asked.outcome === 'differs');
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, digits))).rejects.toEqual(
    failing('over'),
  );
  await expect(newcomer.pool.confirmAsk(ask.signs ?? [])).rejects.toEqual(failing('over'));
  expect(admin.pool.invites()).toEqual([]);

  const again = await stage.ask(newcomer);
  await stage.compare(admin, 1);
  await stage.world.until('codes', () => askOf(admin, 1).step === 'comparing' && codeOf(newcomer));
  const second = newcomer.pool.status().asking?.digits ?? '';
  expect(second).not.toBe(digits);
  await stage.world.settled(
    'allowed',
    admin.pool.allowAsk(askOf(admin, 1).id, ` ${second.slice(0, 3)} ${second.slice(3)}`),
  );
  const reversed = (askOf(admin, 1).signs ?? []).toReversed();
  await expect(newcomer.pool.confirmAsk(reversed)).rejects.toEqual(failing('other-signs'));
  await expect(newcomer.pool.confirmAsk(reversed)).rejects.toEqual(failing('differs'));
  await stage.world.until('it ends', () => again.outcome === 'differs');
  // It was allowed, and does not come: its invite is worth nothing any more.
  await stage.world.until('withdrawn', () => admin.pool.invites()[0]?.state === 'withdrawn', LONG_MS);
  expect(newcomer.pool.status().pool).toBeUndefined();
});

test('each step ends by itself, and says so (seed 5_005)', async () => {
  const stage = new Stage(5_005);
  const [admin] = await stage.pool();
  const newcomer = await stage.newcomer();
  await stage.list(admin);
  const unseen = await stage.ask(newcomer);
  await stage.world.pass(ASK_MS + 1_000);
  expect(unseen.outcome).toMatch(/too-late|not-answered/);
  expect(asksOf(admin)).toEqual([]);
  const uncompared = await stage.ask(newcomer);
  await stage.shown(admin, newcomer);
  await stage.world.pass(COMPARE_MS + 1_000);
  expect(uncompared.outcome).toBe('too-late');
  expect(askOf(admin)).toMatchObject({ step: 'failed' });
  admin.pool.refuseAsk(askOf(admin).id);
  expect(asksOf(admin)).toEqual([]);
  const unconfirmed = await stage.ask(newcomer);
  const [ask, { digits = '' }] = await stage.shown(admin, newcomer);
  await stage.world.settled('allowed', admin.pool.allowAsk(ask.id, digits));
  await stage.world.pass(JOIN_MS + 1_000);
  expect(unconfirmed.outcome).toBe('too-late');
  expect(askOf(admin).step).toBe('failed');
  await stage.world.until('withdrawn', () => admin.pool.invites()[0]?.state === 'withdrawn', LONG_MS);

  const refused = await stage.ask(newcomer);
  await stage.world.until('it asks', () => asksOf(admin).length === 2);
  admin.pool.refuseAsk(askOf(admin, 1).id);
  await stage.world.until('it is told', () => refused.outcome === 'refused');
  // Given up by its person: gone there, too, and an ended listing refuses.
  const givenUp = await stage.ask(newcomer);
  await stage.world.until('it asks', () => asksOf(admin).length === 2);
  newcomer.pool.askCancel();
  await stage.world.until('it is gone', () => asksOf(admin).length === 1);
  expect(givenUp.outcome).toBe('not-wanted');
  expect(newcomer.pool.status().pool).toBeUndefined();
});

test('two who ask at once are told apart by their digits (seed 5_006)', async () => {
  const stage = new Stage(5_006);
  const [admin] = await stage.pool();
  const [one, other] = [await stage.newcomer('one'), await stage.newcomer('other')];
  await stage.list(admin);
  const asked = [await stage.ask(one, 'Phone'), await stage.ask(other, 'Phone')];
  await stage.world.until('both ask', () => asksOf(admin).length === 2);
  for (const { id } of asksOf(admin)) await stage.world.settled('compared', admin.pool.compareAsk(id));
  await stage.world.until('codes', () => [one, other].every(codeOf));
  await stage.world.until('codes', () => asksOf(admin).every(({ step }) => step === 'comparing'));
  const digits = [one, other].map((device) => device.pool.status().asking?.digits ?? '');
  const first = asksOf(admin).find((ask) =>
    (ask.signs ?? []).every((sign) => one.pool.status().asking?.choices?.includes(sign)),
  );
  const id = first?.id ?? '';
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(id, digits[1] ?? ''))).rejects.toEqual(
    failing('other-digits'),
  );
  await stage.world.settled('allowed', admin.pool.allowAsk(id, digits[0] ?? ''));
  await stage.world.settled('confirmed', one.pool.confirmAsk(first?.signs ?? []));
  await stage.world.until('it is in', () => asked[0]?.outcome === 'in', LONG_MS);
  expect(other.pool.status().pool).toBeUndefined();
  expect(codeOf(other)).toBe(true);
});
