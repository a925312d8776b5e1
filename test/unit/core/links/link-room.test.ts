// Devices that find no place among the links of another: they are called as soon as one is free, by turns of
// which nobody gets more by making up devices.

import { describe, expect, it } from 'vitest';
import type { SignalBody } from '../../../../src/core/links/envelope.ts';
import type { LinkEffect, Way } from '../../../../src/core/links/link-events.ts';
import { newLinkId, newSessionId, type LinkId } from '../../../../src/core/links/link-ids.ts';
import { LinkMachine } from '../../../../src/core/links/link-machine.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { connectionIdOf } from '../../../../src/core/wire/relay-protocol.ts';

const IDS = Array.from({ length: 9 }, (_, index) => deviceIdOf(Uint8Array.of(9, index))).toSorted();

function at(index: number): DeviceId {
  const device = IDS[index];
  if (device === undefined) throw new Error('there is no such device');
  return device;
}

const sessionOf = (device: DeviceId) => newSessionId(1_000, new Uint8Array(10).fill(IDS.indexOf(device)));
const wayAt = (index: number): Way => connectionIdOf(new Uint8Array(16).fill(index));

/** A machine with two places, at the relay. */
class Full {
  readonly self: DeviceId;
  readonly machine: LinkMachine;
  nowMs = 0;
  #seq = 0;

  constructor(self: DeviceId, maxLinkCount = 2) {
    this.self = self;
    this.machine = new LinkMachine({ device: self, session: sessionOf(self), maxLinkCount });
    this.machine.handle(0, { kind: 'relay', up: true });
  }

  says(from: DeviceId, body: SignalBody, link = this.linkOf(from), way: Way = from): LinkEffect[] {
    this.#seq += 1;
    const [fromSession, toSession] = [sessionOf(from), sessionOf(this.self)];
    const letter = { from, fromSession, toSession, link, seq: this.#seq, body };
    return this.machine.handle(this.nowMs, { kind: 'letter', letter, way });
  }

  offers(from: DeviceId, way: Way = from): LinkEffect[] {
    return this.says(from, { kind: 'offer', sdp: 'x' }, this.linkOf(from), way);
  }

  linkOf(from: DeviceId): LinkId {
    return newLinkId(sessionOf(from), 1);
  }

  closes(device: DeviceId, link = this.linkOf(device)): LinkEffect[] {
    return this.machine.handle(this.nowMs, { kind: 'closed', device, link, reason: 'it was let in' });
  }
}

/** Whom the effects call to make an offer. */
function calledBy(effects: readonly LinkEffect[]): (DeviceId | undefined)[] {
  return effects.flatMap((effect) =>
    effect.kind === 'letter' && effect.body.kind === 'announce' ? [effect.to?.device] : [],
  );
}

describe('a device that finds no place', () => {
  it('is called when one is free, in the order in which they came', () => {
    const full = new Full(at(8));
    for (const index of [0, 1]) expect(full.offers(at(index))[0]).toMatchObject({ kind: 'create' });
    for (const index of [5, 2]) expect(full.offers(at(index))).toMatchObject([{ body: { kind: 'bye' } }]);
    expect(calledBy(full.closes(at(0)))).toEqual([at(5)]);
    expect(full.offers(at(5))[0]).toMatchObject({ kind: 'create', device: at(5) });
    expect(calledBy(full.closes(at(1)))).toEqual([at(2)]);
  });

  it('is offered a link when one is free, if this device makes the offers', () => {
    const full = new Full(at(0));
    const links = [1, 2].map((index) => {
      const [create] = full.says(at(index), { kind: 'announce' });
      if (create?.kind !== 'create') throw new Error('expected an attempt');
      return create.link;
    });
    expect(full.says(at(3), { kind: 'announce' })).toEqual([]);
    expect(full.closes(at(2), links[1])).toContainEqual(
      expect.objectContaining({ kind: 'create', device: at(3), initiator: true }),
    );
  });

  it('is passed by when it is gone', () => {
    const full = new Full(at(8));
    for (const index of [0, 1, 2, 3]) full.offers(at(index));
    full.machine.handle(0, { kind: 'session-gone', device: at(2), session: sessionOf(at(2)) });
    expect(calledBy(full.closes(at(0)))).toEqual([at(3)]);
  });

  it('is not called when it found a place by itself', () => {
    const full = new Full(at(8));
    for (const index of [0, 1, 2, 3]) full.offers(at(index));
    expect(calledBy(full.closes(at(0)))).toEqual([at(2)]);
    const again = full.says(at(3), { kind: 'offer', sdp: 'x' }, newLinkId(sessionOf(at(3)), 2));
    expect(again[0]).toMatchObject({ kind: 'create', device: at(3) });
    expect(full.closes(at(1))).toMatchObject([{ body: { kind: 'bye' } }, { kind: 'destroy' }]);
  });

  it('goes before devices whose letters come by a way that has places, however many wait there', () => {
    const full = new Full(at(8));
    for (const index of [0, 1, 2, 3, 4]) full.offers(at(index), wayAt(1));
    full.offers(at(5), wayAt(2));
    expect(calledBy(full.closes(at(0)))).toEqual([at(5)]);
    expect(calledBy(full.closes(at(1)))).toEqual([at(2)]);
  });
});

describe('a device whose offer was answered by a goodbye', () => {
  function putOff(): Full {
    const calling = new Full(at(0));
    const [create] = calling.says(at(1), { kind: 'announce' });
    if (create?.kind !== 'create') throw new Error('expected an attempt');
    calling.says(at(1), { kind: 'bye' }, create.link);
    return calling;
  }

  it('offers again as soon as it is called, and not for what is said to everyone', () => {
    const calling = putOff();
    const letter = { from: at(1), fromSession: sessionOf(at(1)), link: calling.linkOf(at(1)), seq: 99 };
    const toAll = { ...letter, toSession: null, body: { kind: 'announce' } } as const;
    expect(calling.machine.handle(0, { kind: 'letter', letter: toAll, way: at(1) })).toEqual([]);
    const [again] = calling.says(at(1), { kind: 'announce' });
    expect(again).toMatchObject({ kind: 'create', device: at(1) });
  });

  it('that is called and refused in a loop makes no more attempts than any other', () => {
    const calling = putOff();
    let attemptCount = 0;
    for (; calling.nowMs < 20_000; calling.nowMs += 20) {
      for (const effect of calling.says(at(1), { kind: 'announce' })) {
        if (effect.kind !== 'create') continue;
        attemptCount += 1;
        calling.says(at(1), { kind: 'bye' }, effect.link);
      }
    }
    // Eight together, of which one was made before, and one more every two seconds.
    expect(attemptCount).toBeLessThanOrEqual(7 + 10);
    expect(attemptCount).toBeGreaterThan(7);
  });
});
