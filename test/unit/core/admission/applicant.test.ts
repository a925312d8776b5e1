// A newcomer at a door: asks one member after the other, and is neither held up nor deceived by any of them.

import { describe, expect, it } from 'vitest';
import {
  ANSWER_WITHIN_MS,
  Applicant,
  ASK_AGAIN_MS,
  type ApplicantEffect,
  type ApplicantInput,
} from '../../../../src/core/admission/applicant.ts';
import type { Application } from '../../../../src/core/catalogue/grants/ticket.ts';
import type { DoorMessage } from '../../../../src/core/admission/door-message.ts';
import { MAX_ACT_COUNT } from '../../../../src/core/model/limits.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const [A, B, C] = [deviceAt(0).deviceId, deviceAt(1).deviceId, deviceAt(2).deviceId];
const APPLICATION: Application = {
  ticket: seededBytes(100, 1),
  key: seededBytes(32, 2),
  exchange: seededBytes(65, 3),
  proof: seededBytes(64, 4),
  consent: seededBytes(64, 5),
};

/** Feeds the inputs in order, at time 0. Returns the effects of the last. */
function fed(applicant: Applicant, ...inputs: readonly ApplicantInput[]): ApplicantEffect[] {
  return inputs.map((input) => applicant.handle(0, input)).at(-1) ?? [];
}

function from(device: typeof A, message: DoorMessage): ApplicantInput {
  return { kind: 'message', device, message };
}

function asking(...devices: readonly (typeof A)[]): Applicant {
  const applicant = new Applicant(A);
  for (const device of devices) applicant.handle(0, { kind: 'link-up', device });
  applicant.handle(0, { kind: 'signed', device: A, application: APPLICATION });
  return applicant;
}

describe('a newcomer', () => {
  it('signs an application for the member it is linked with, and sends it', () => {
    const applicant = new Applicant(A);
    expect(fed(applicant, { kind: 'link-up', device: A })).toEqual([{ kind: 'sign', device: A }]);
    expect(fed(applicant, { kind: 'signed', device: A, application: APPLICATION })).toEqual([
      { kind: 'send', device: A, message: { kind: 'admission-wanted', ...APPLICATION } },
    ]);
  });

  it('asks one member at a time', () => {
    const applicant = asking(A, B);
    expect(fed(applicant, { kind: 'link-up', device: B })).toEqual([]);
    expect(fed(applicant, from(A, { kind: 'admission-refused', reason: 'unknown' }))).toEqual([
      { kind: 'sign', device: B },
    ]);
  });

  it('asks the issuer before others, whoever came first', () => {
    const applicant = new Applicant(C);
    for (const device of [A, B, C]) applicant.handle(0, { kind: 'link-up', device });
    expect(fed(applicant, from(A, { kind: 'admission-refused', reason: 'unknown' }))).toEqual([
      { kind: 'sign', device: C },
    ]);
    expect(fed(applicant, from(C, { kind: 'admission-refused', reason: 'busy' }))).toEqual([
      { kind: 'sign', device: B },
    ]);
  });

  it('has all acts and the keys checked together', () => {
    const applicant = asking(A);
    const acts = [seededBytes(10, 6), seededBytes(10, 7)];
    fed(applicant, ...acts.map((act) => from(A, { kind: 'acts', acts: [act] })));
    const sealed = seededBytes(80, 8);
    expect(fed(applicant, from(A, { kind: 'keys', sealed }))).toEqual([
      { kind: 'check', device: A, acts, sealed },
    ]);
    expect(applicant.nextDeadlineMs()).toBe(Infinity);
  });

  it('passes over a member whose gifts prove nothing, and asks the next', () => {
    const applicant = asking(A, B);
    fed(applicant, from(A, { kind: 'keys', sealed: seededBytes(80, 8) }));
    expect(fed(applicant, { kind: 'unproved', device: A })).toMatchObject([
      { kind: 'close-link', device: A },
      { kind: 'sign', device: B },
    ]);
  });

  it('passes over a member that does not answer', () => {
    const applicant = asking(A, B);
    expect(applicant.nextDeadlineMs()).toBe(ANSWER_WITHIN_MS);
    expect(applicant.handle(ANSWER_WITHIN_MS, { kind: 'tick' })).toMatchObject([
      { kind: 'close-link', device: A },
      { kind: 'sign', device: B },
    ]);
  });

  it('asks again where the invite is not known yet', () => {
    const applicant = asking(A);
    fed(applicant, from(A, { kind: 'admission-refused', reason: 'unknown' }));
    expect(applicant.nextDeadlineMs()).toBe(ASK_AGAIN_MS);
    expect(applicant.handle(ASK_AGAIN_MS - 1, { kind: 'tick' })).toEqual([]);
    expect(applicant.handle(ASK_AGAIN_MS, { kind: 'tick' })).toEqual([{ kind: 'sign', device: A }]);
  });

  it.each(['expired', 'used', 'withdrawn', 'shut-out'] as const)('gives up when all say %s', (reason) => {
    const applicant = asking(A, B);
    expect(fed(applicant, from(A, { kind: 'admission-refused', reason }))).toEqual([
      { kind: 'sign', device: B },
    ]);
    fed(applicant, { kind: 'signed', device: B, application: APPLICATION });
    expect(fed(applicant, from(B, { kind: 'admission-refused', reason }))).toEqual([
      { kind: 'refused', reason },
    ]);
    expect(fed(applicant, { kind: 'link-up', device: A })).toEqual([]);
  });

  it('waits while nobody is there, also after one that refused has gone', () => {
    const applicant = asking(A, B);
    fed(applicant, { kind: 'link-down', device: A }, { kind: 'link-down', device: B });
    expect([applicant.isAsking, applicant.nextDeadlineMs()]).toEqual([false, Infinity]);
    expect(fed(applicant, { kind: 'link-up', device: B })).toEqual([{ kind: 'sign', device: B }]);
  });
});

describe('a liar at the door', () => {
  it('that answers without having been asked is cut off, and the other goes on', () => {
    const applicant = asking(A, B);
    expect(fed(applicant, from(B, { kind: 'keys', sealed: seededBytes(80, 8) }))).toMatchObject([
      { kind: 'close-link', device: B },
    ]);
    expect(applicant.isAsking).toBe(true);
  });

  it('that gives acts without end is cut off', () => {
    const applicant = asking(A);
    const acts = Array.from({ length: 64 }, () => seededBytes(4, 9));
    for (let count = 0; count < MAX_ACT_COUNT; count += 64) {
      expect(fed(applicant, from(A, { kind: 'acts', acts }))).toEqual([]);
    }
    expect(fed(applicant, from(A, { kind: 'acts', acts }))).toMatchObject([{ kind: 'close-link' }]);
    const other = asking(A);
    for (let count = 0; count < MAX_ACT_COUNT; count++) fed(other, from(A, { kind: 'acts', acts: [] }));
    expect(fed(other, from(A, { kind: 'acts', acts: [] }))).toMatchObject([{ kind: 'close-link' }]);
  });

  it('that speaks while its gifts are checked is cut off', () => {
    const applicant = asking(A);
    fed(applicant, from(A, { kind: 'keys', sealed: seededBytes(80, 8) }));
    expect(fed(applicant, from(A, { kind: 'acts', acts: [] }))).toMatchObject([{ kind: 'close-link' }]);
  });

  it('that is another newcomer gets nothing, and is cut off', () => {
    const applicant = asking(A, B);
    expect(fed(applicant, from(B, { kind: 'admission-wanted', ...APPLICATION }))).toMatchObject([
      { kind: 'close-link', device: B },
    ]);
    expect(applicant.isAsking).toBe(true);
  });

  it('that is asked, and asks itself, is not waited for', () => {
    const applicant = asking(A, B);
    expect(fed(applicant, from(A, { kind: 'admission-wanted', ...APPLICATION }))).toMatchObject([
      { kind: 'close-link', device: A },
      { kind: 'sign', device: B },
    ]);
  });
});
