// What a member answers to an invite that was proved, from what it knows of its pool.

import { describe, expect, it } from 'vitest';
import { verdictOf, type AdmissionFacts } from '../../../../src/core/admission/verdict.ts';
import { INVITE_TOLERANCE_MS } from '../../../../src/core/model/limits.ts';
import { decodeTicket } from '../../../../src/core/model/ticket.ts';
import vectors from '../../../vectors/invite.json' with { type: 'json' };
import { bytesOfHex } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const ticket = decodeTicket(bytesOfHex(vectors.tickets[1]?.ticket ?? ''));
const [newcomer, admitter] = [deviceAt(0).deviceId, deviceAt(1).deviceId];

const KNOWN: AdmissionFacts = {
  charter: ticket.charter,
  knows: (act) => ticket.heads.includes(act),
  roleOf: (device) => (device === ticket.issuer ? 'admin' : device === admitter ? 'member' : undefined),
  isOut: () => false,
  isWithdrawn: () => false,
  admittedBy: () => 0,
  nowMs: ticket.expiresMs,
};

function judged(facts: Partial<AdmissionFacts>): string {
  return verdictOf(ticket, newcomer, admitter, { ...KNOWN, ...facts });
}

describe('a proved invite', () => {
  it('lets a device in', () => {
    expect(judged({})).toBe('admit');
    expect(judged({ admittedBy: () => ticket.uses - 1 })).toBe('admit');
  });

  it('lets it in for a while after it expired, since clocks differ', () => {
    expect(judged({ nowMs: ticket.expiresMs + INVITE_TOLERANCE_MS })).toBe('admit');
    expect(judged({ nowMs: ticket.expiresMs + INVITE_TOLERANCE_MS + 1 })).toBe('expired');
  });

  it('is used once as many devices came in as it was for', () => {
    expect(judged({ admittedBy: () => ticket.uses })).toBe('used');
  });

  it('is withdrawn, by an act or because its issuer is no admin any more', () => {
    expect(judged({ isWithdrawn: () => true })).toBe('withdrawn');
    for (const role of ['member', undefined] as const) {
      const roleOf: AdmissionFacts['roleOf'] = (device) =>
        device === ticket.issuer ? role : KNOWN.roleOf(device);
      expect(judged({ roleOf })).toBe('withdrawn');
    }
  });

  it('of another pool, or of acts that are not here yet, is not known', () => {
    expect(judged({ charter: ticket.heads[0] })).toBe('unknown');
    expect(judged({ charter: undefined })).toBe('unknown');
    expect(judged({ knows: (act) => act !== ticket.heads[1] && KNOWN.knows(act) })).toBe('unknown');
  });

  it('is none to a reader, or to a device that is out itself', () => {
    for (const role of ['reader', undefined] as const) {
      const roleOf = (device: string) => (device === ticket.issuer ? ('admin' as const) : role);
      expect(judged({ roleOf })).toBe('unknown');
    }
  });

  it('gives a device that is in what it lost, however old the invite is by now', () => {
    const roleOf: AdmissionFacts['roleOf'] = (device) =>
      device === newcomer ? 'member' : KNOWN.roleOf(device);
    expect(judged({ roleOf, admittedBy: () => ticket.uses, isWithdrawn: () => true })).toBe('give');
  });

  it('never lets a device back that was shut out', () => {
    expect(judged({ isOut: (device) => device === newcomer })).toBe('shut-out');
  });
});
