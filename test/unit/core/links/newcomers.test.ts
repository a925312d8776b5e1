// Newcomers at a door: they link with who may let them in, and not with each other.

import { describe, expect, it } from 'vitest';
import type { OpenedLetter } from '../../../../src/core/links/envelope.ts';
import type { LinkEffect } from '../../../../src/core/links/link-events.ts';
import { newcomerMark, newSessionId, type SessionId } from '../../../../src/core/links/link-ids.ts';
import { LinkMachine } from '../../../../src/core/links/link-machine.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';

const [SMALL, GREAT] = [1, 2].map((byte) => deviceIdOf(Uint8Array.of(byte))).toSorted() as [
  DeviceId,
  DeviceId,
];

interface Comer {
  readonly device: DeviceId;
  readonly session: SessionId;
  readonly machine: LinkMachine;
  /** What it announces when the relay is there. */
  readonly announce: OpenedLetter;
}

function comer(device: DeviceId, isNewcomer: boolean): Comer {
  const session = newSessionId(1_000, new Uint8Array(10).fill(device === SMALL ? 1 : 2));
  const machine = new LinkMachine({ device, session, isNewcomer });
  const said = machine.handle(0, { kind: 'relay', up: true }).find(({ kind }) => kind === 'letter');
  if (said?.kind !== 'letter') throw new Error('it announces itself');
  const { link, body } = said;
  const announce = { from: device, fromSession: session, toSession: null, seq: 1, link, body };
  return { device, session, machine, announce };
}

function hears(self: Comer, letter: OpenedLetter): LinkEffect[] {
  return self.machine.handle(1, { kind: 'letter', letter, way: letter.from });
}

describe('a newcomer', () => {
  it.each([
    [SMALL, GREAT],
    [GREAT, SMALL],
  ])('does not link with another newcomer', (own, others) => {
    const self = comer(own, true);
    const prod = { ...comer(others, true).announce, toSession: self.session, seq: 2 };
    expect(hears(self, comer(others, true).announce)).toEqual([]);
    expect(hears(self, prod)).toEqual([]);
  });

  it('links with who does not say that it is one, as members and earlier versions do not', () => {
    expect(hears(comer(SMALL, true), comer(GREAT, false).announce)).toMatchObject([
      { kind: 'create', device: GREAT, initiator: true },
    ]);
    expect(hears(comer(GREAT, true), comer(SMALL, false).announce)).toMatchObject([
      { kind: 'letter', to: { device: SMALL }, body: { kind: 'announce' } },
    ]);
  });

  it('is linked with by members, also when it prods', () => {
    const newcomer = comer(GREAT, true);
    const member = comer(SMALL, false);
    expect(hears(member, newcomer.announce)).toMatchObject([{ kind: 'create', device: GREAT }]);
    const [prod] = hears(newcomer, member.announce);
    expect(prod).toMatchObject({ kind: 'letter', link: newcomerMark(newcomer.session) });
  });

  it('is not kept from a member by a mark that names another session', () => {
    const self = comer(SMALL, true);
    const { announce } = comer(GREAT, false);
    expect(hears(self, { ...announce, link: newcomerMark(self.session) })).toMatchObject([
      { kind: 'create', device: GREAT },
    ]);
  });
});
