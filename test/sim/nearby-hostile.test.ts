// Asks to join, and what strangers, floods, a false pool and a relay that stands between two devices get of
// them: nothing.

import { expect, test } from 'vitest';
import { MAX_ASKS } from '../../src/core/model/limits.ts';
import type { NearbyLetter, Reveal } from '../../src/core/nearby/nearby-letter.ts';
import { commitmentTo } from '../../src/core/nearby/short-code.ts';
import { ASK_BURST, ASK_MS, COMPARE_MS } from '../../src/runtime/nearby/ask-rules.ts';
import { SimDevice } from './device.ts';
import { askOf, asksOf, between, failing, LONG_MS, Stage } from './nearby-stage.ts';
import { synchronousCryptography as cryptography } from './synchronous-cryptography.ts';

test('a relay that puts its own keys in the place of both makes the codes differ, and nobody is let in (seed 5_010)', async () => {
  const { stage, admin, newcomer, lobby, host } = await between(5_010);
  const pair = await cryptography.newExchangePair();
  const nonce = stage.world.random.bytes(32);
  const ofOwn = (ask: Uint8Array): Reveal => ({ kind: 'reveal', ask, key: pair.publicKey, nonce });
  lobby.meddle = (from, to, letter) => {
    const forged: NearbyLetter | undefined =
      letter.kind === 'ask'
        ? { ...letter, commitment: commitmentTo(ofOwn(letter.ask)) }
        : letter.kind === 'answer'
          ? { ...letter, key: pair.publicKey }
          : letter.kind === 'reveal'
            ? ofOwn(letter.ask)
            : letter;
    return [{ from, to, letter: forged }];
  };
  const asked = await stage.ask(newcomer);
  const [ask, asking] = await stage.shown(admin, newcomer);
  // Both are led to believe that all is well; only what the two screens show differs.
  const { digits = '' } = asking;
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, digits))).rejects.toEqual(
    failing('other-digits'),
  );
  await expect(newcomer.pool.confirmAsk(ask.signs ?? [])).rejects.toEqual(failing('other-signs'));
  await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, digits))).rejects.toEqual(
    failing('differs'),
  );
  await stage.world.until('it is told', () => asked.outcome === 'differs');
  await stage.world.pass(60_000);
  expect(admin.pool.invites()).toEqual([]);
  expect(newcomer.pool.status().pool).toBeUndefined();
  expect(host().name).toBe(admin.pool.status().pool?.name);
});

test('a relay cannot choose its key once it has seen the other one: it is committed (seed 5_011)', async () => {
  const { stage, admin, newcomer, lobby } = await between(5_011);
  const pair = await cryptography.newExchangePair();
  lobby.meddle = (from, to, letter) => [
    { from, to, letter: letter.kind === 'reveal' ? { ...letter, key: pair.publicKey } : letter },
  ];
  const asked = await stage.ask(newcomer);
  await stage.compare(admin);
  await stage.world.until('it is refused', () => askOf(admin).step === 'failed');
  expect(askOf(admin).signs).toBeUndefined();
  expect(askOf(admin).problem).toContain('differs');
  await stage.world.until('it is told', () => asked.outcome === 'differs');
});

test.each(['pool', 'device'] as const)(
  'a changed name of the %s makes the codes differ (seed 5_012)',
  async (what) => {
    const { stage, admin, newcomer, lobby } = await between(5_012);
    const name = admin.pool.status().pool?.name ?? '';
    if (what === 'pool')
      lobby.meddle = (from, to, letter) => [
        { from, to, letter: letter.kind === 'ask' ? { ...letter, pool: 'Another' } : letter },
      ];
    else
      lobby.meddle = (from, to, letter) => [
        { from, to, letter: letter.kind === 'ask' ? { ...letter, device: 'Mother’s phone' } : letter },
      ];
    await stage.ask(newcomer);
    if (what === 'pool') {
      await stage.world.pass(5_000);
      expect(asksOf(admin)).toEqual([]);
      expect(name).not.toBe('Another');
      return;
    }
    const [ask, { digits = '', choices = [] }] = await stage.shown(admin, newcomer);
    expect(ask.name).toBe('Mother’s phone');
    await expect(stage.world.settled('an answer', admin.pool.allowAsk(ask.id, digits))).rejects.toEqual(
      failing('other-digits'),
    );
    expect(choices).toHaveLength(12);
  },
);

test('letters that are repeated later let nobody in, and the relay reads no invite (seed 5_013)', async () => {
  const { stage, admin, newcomer, lobby, host } = await between(5_013);
  const sent: { readonly letter: NearbyLetter; readonly toHost: boolean }[] = [];
  lobby.meddle = (from, to, letter) => {
    sent.push({ letter, toHost: to === host() });
    return [{ from, to, letter }];
  };
  const asked = await stage.ask(newcomer);
  const [ask, { digits = '' }] = await stage.shown(admin, newcomer);
  await stage.world.settled('allowed', admin.pool.allowAsk(ask.id, digits));
  await stage.world.settled('confirmed', newcomer.pool.confirmAsk(ask.signs ?? []));
  await stage.world.until('it is in', () => asked.outcome === 'in', LONG_MS);
  expect(sent.map(({ letter }) => letter.kind)).toEqual(['ask', 'answer', 'reveal', 'invite']);
  const link = Buffer.from('#/join/').toString('hex');
  expect(lobby.heard.some((bytes) => bytes.includes(link))).toBe(false);

  const got: NearbyLetter[] = [];
  const thief = lobby.stranger();
  lobby.meddle = (_from, to, letter) => {
    if (to === thief) got.push(letter);
    return [];
  };
  for (const { letter, toHost } of sent) if (toHost) lobby.send({ from: thief, to: host(), letter });
  await stage.world.until('it asks again', () => asksOf(admin).length === 2);
  await stage.world.settled('compared', admin.pool.compareAsk(askOf(admin, 1).id));
  for (const { letter, toHost } of sent) if (toHost) lobby.send({ from: thief, to: host(), letter });
  await stage.world.until('it is compared', () => askOf(admin, 1).step === 'comparing');
  // Nobody has a screen with these digits: those of before are worth nothing.
  const stale = stage.world.settled('an answer', admin.pool.allowAsk(askOf(admin, 1).id, digits));
  await expect(stale).rejects.toEqual(failing('other-digits'));
  expect(got.map(({ kind }) => kind)).not.toContain('invite');
  const other = await stage.newcomer('other');
  const otherAsked = await stage.ask(other);
  const guest = lobby.guest(undefined);
  for (const { letter, toHost } of sent) if (!toHost) lobby.send({ from: host(), to: guest, letter });
  await stage.world.pass(5_000);
  expect(other.pool.status().asking?.step).toBe('asking');
  expect(otherAsked.outcome).toBe('');
});

test('a thousand asks make a short list, of which none pushes out another (seed 5_014)', async () => {
  const { stage, admin, newcomer, lobby, host } = await between(5_014);
  await stage.ask(newcomer, 'First');
  await stage.world.until('it asks', () => asksOf(admin).length === 1);
  const answers: string[] = [];
  const pool = admin.pool.status().pool?.name ?? '';
  for (let count = 0; count < 1_000; count += 1) {
    const from = lobby.stranger();
    const ask = stage.world.random.bytes(16);
    lobby.send({
      from,
      to: host(),
      letter: { kind: 'ask', ask, pool, device: `\u202E${count}`, commitment: stage.world.random.bytes(32) },
    });
  }
  lobby.meddle = (_from, _to, letter) => {
    answers.push(letter.kind);
    return [];
  };
  await stage.world.pass(2_000);
  expect(asksOf(admin)).toHaveLength(MAX_ASKS);
  expect(askOf(admin).name).toBe('First');
  // Answers to a flood would be a flood.
  expect(answers.length).toBeLessThanOrEqual(ASK_BURST);
  await stage.world.pass(ASK_MS);
  expect(asksOf(admin)).toEqual([]);
});

test('a pool under the name of another lets nobody into it who looks at the right screen (seed 5_015)', async () => {
  const stage = new Stage(5_015);
  const [admin] = await stage.pool();
  const name = admin.pool.status().pool?.name ?? '';
  const thief = new SimDevice('thief', stage.world, stage.network, 'laptop', true);
  await stage.world.settled('it is open', thief.pool.ready);
  await stage.world.settled('its pool', thief.pool.createPool({ name }));
  await stage.list(thief);
  const newcomer = await stage.newcomer();
  const asked = await stage.ask(newcomer);
  const [ask] = await stage.shown(thief, newcomer);
  // The thief is told nothing of what the newcomer's screen shows; say that he gets the digits all the same.
  const { digits = '', choices = [] } = newcomer.pool.status().asking ?? {};
  await stage.world.settled('allowed', thief.pool.allowAsk(ask.id, digits));
  await stage.world.until('it hears', () => newcomer.pool.status().asking?.allowed === true);
  // On the screen of the pool that it wanted there is no ask, and there are no signs to choose.
  expect(asksOf(admin)).toEqual([]);
  expect(choices).toHaveLength(12);
  await stage.world.pass(COMPARE_MS);
  expect(asked.outcome).toBe('too-late');
  expect(newcomer.pool.status().pool).toBeUndefined();
});

test('a relay that shows a pool no more is told of, and not listed with again (seed 5_017)', async () => {
  const { stage, admin, host } = await between(5_017);
  const { id, events } = host();
  events.refused('the room is full');
  await stage.world.pass(1_000);
  expect(admin.pool.status().listing).toBeUndefined();
  expect(admin.notices).toContainEqual({
    kind: 'failure',
    failure: { code: 'asking-failed', reason: 'not-shown' },
  });
  events.letter(id, Uint8Array.of(1));
});

test('garbage and letters of no ask change nothing (seed 5_016)', async () => {
  const { stage, admin, newcomer, lobby, host } = await between(5_016);
  const asked = await stage.ask(newcomer);
  await stage.world.until('it asks', () => asksOf(admin).length === 1);
  const stranger = lobby.stranger();
  host().events.letter(stranger.id, Uint8Array.of(1, 2, 3));
  const ask = stage.world.random.bytes(16);
  for (const letter of [
    { kind: 'end', ask, reason: 'given-up' },
    { kind: 'invite', ask, sealed: Uint8Array.of(1) },
  ] as const) {
    lobby.send({ from: stranger, to: host(), letter });
  }
  await stage.world.pass(1_000);
  expect(askOf(admin).step).toBe('asking');
  await expect(admin.pool.compareAsk('nothing')).rejects.toEqual(failing('over'));
  await expect(newcomer.pool.askToJoin('nothing')).rejects.toEqual(failing('not-listed'));
  await expect(newcomer.pool.confirmAsk([])).rejects.toEqual(failing('over'));
  expect(asked.outcome).toBe('');
});
