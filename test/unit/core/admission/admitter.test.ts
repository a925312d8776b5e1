// A member at a door: who is let in, in which order, and what a flood, a late answer and a link that breaks
// in the middle change.

import { describe, expect, it } from 'vitest';
import {
  Admitter,
  MAX_APPLICATIONS,
  SILENT_MS,
  type AdmitterEffect,
  type AdmitterInput,
} from '../../../../src/core/admission/admitter.ts';
import type { DoorMessage } from '../../../../src/core/admission/door-message.ts';
import type { Application } from '../../../../src/core/catalogue/grants/ticket.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const [A, B] = [deviceAt(0).deviceId, deviceAt(1).deviceId];

function applicationAt(index: number): Application {
  return {
    ticket: seededBytes(100, index),
    key: deviceAt(index).publicKey,
    exchange: seededBytes(65, index),
    proof: seededBytes(64, index),
    consent: seededBytes(64, index),
  };
}

function wanted(index: number): DoorMessage {
  return { kind: 'admission-wanted', ...applicationAt(index) };
}

/** Feeds the inputs in order, at time 0. Returns the effects of the last. */
function fed(admitter: Admitter, ...inputs: readonly AdmitterInput[]): AdmitterEffect[] {
  return inputs.map((input) => admitter.handle(0, input)).at(-1) ?? [];
}

describe('an application', () => {
  it('is judged, written and then answered with everything', () => {
    const admitter = new Admitter();
    const application = applicationAt(0);
    const judge = fed(
      admitter,
      { kind: 'link-up', device: A },
      { kind: 'message', device: A, message: wanted(0) },
    );
    expect(judge).toEqual([{ kind: 'judge', device: A, application }]);
    expect(fed(admitter, { kind: 'judged', device: A, verdict: 'admit' })).toEqual([
      { kind: 'admit', device: A, application },
    ]);
    expect(fed(admitter, { kind: 'admitted', device: A, isWritten: true })).toEqual([
      { kind: 'give', device: A, application },
    ]);
  });

  it.each(['expired', 'used', 'withdrawn', 'shut-out', 'unknown'] as const)('is refused as %s', (verdict) => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A }, { kind: 'message', device: A, message: wanted(0) });
    expect(fed(admitter, { kind: 'judged', device: A, verdict })).toEqual([
      { kind: 'refuse', device: A, reason: verdict },
    ]);
  });

  it('whose signatures do not fit ends the link, without a word', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A }, { kind: 'message', device: A, message: wanted(0) });
    expect(fed(admitter, { kind: 'judged', device: A, verdict: undefined })).toMatchObject([
      { kind: 'close-link', device: A },
    ]);
  });

  it('is answered as busy when its act could not be written', () => {
    const admitter = new Admitter();
    fed(
      admitter,
      { kind: 'link-up', device: A },
      { kind: 'message', device: A, message: wanted(0) },
      { kind: 'judged', device: A, verdict: 'admit' },
    );
    expect(fed(admitter, { kind: 'admitted', device: A, isWritten: false })).toEqual([
      { kind: 'refuse', device: A, reason: 'busy' },
    ]);
  });

  it('gets what it lost when the device is in already', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A }, { kind: 'message', device: A, message: wanted(0) });
    expect(fed(admitter, { kind: 'judged', device: A, verdict: 'give' })).toMatchObject([{ kind: 'give' }]);
  });
});

describe('two that come at once', () => {
  it('are judged one after the other: the second knows of the first', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A }, { kind: 'link-up', device: B });
    expect(fed(admitter, { kind: 'message', device: A, message: wanted(0) })).toHaveLength(1);
    expect(fed(admitter, { kind: 'message', device: B, message: wanted(1) })).toEqual([]);
    expect(fed(admitter, { kind: 'judged', device: A, verdict: 'admit' })).toMatchObject([{ kind: 'admit' }]);
    expect(fed(admitter, { kind: 'admitted', device: A, isWritten: true })).toMatchObject([
      { kind: 'give', device: A },
      { kind: 'judge', device: B },
    ]);
  });
});

describe('a link that breaks', () => {
  it('leaves nothing to answer, and lets the next one be judged', () => {
    const admitter = new Admitter();
    fed(
      admitter,
      { kind: 'link-up', device: A },
      { kind: 'link-up', device: B },
      { kind: 'message', device: A, message: wanted(0) },
      { kind: 'message', device: B, message: wanted(1) },
      { kind: 'link-down', device: A },
    );
    expect(fed(admitter, { kind: 'judged', device: A, verdict: 'used' })).toMatchObject([
      { kind: 'judge', device: B },
    ]);
  });

  it('never lends the verdict of one application to the next', () => {
    const admitter = new Admitter();
    const forged: DoorMessage = {
      kind: 'admission-wanted',
      ...applicationAt(0),
      proof: new Uint8Array(64),
    };
    fed(
      admitter,
      { kind: 'link-up', device: A },
      { kind: 'message', device: A, message: wanted(0) },
      { kind: 'link-down', device: A },
      { kind: 'link-up', device: A },
      { kind: 'message', device: A, message: forged },
    );
    const effects = fed(admitter, { kind: 'judged', device: A, verdict: 'admit' });
    expect(effects.filter(({ kind }) => kind === 'admit')).toEqual([]);
    expect(effects).toMatchObject([{ kind: 'judge', application: { proof: new Uint8Array(64) } }]);
  });
});

describe('a flood', () => {
  it('of applications over one link ends it', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A });
    for (let count = 0; count < MAX_APPLICATIONS; count++) {
      expect(fed(admitter, { kind: 'message', device: A, message: wanted(0) })).toHaveLength(1);
      fed(admitter, { kind: 'judged', device: A, verdict: 'unknown' });
    }
    expect(fed(admitter, { kind: 'message', device: A, message: wanted(0) })).toMatchObject([
      { kind: 'close-link' },
    ]);
  });

  it('of a second application before the answer ends it', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A }, { kind: 'message', device: A, message: wanted(0) });
    expect(fed(admitter, { kind: 'message', device: A, message: wanted(0) })).toMatchObject([
      { kind: 'close-link' },
    ]);
  });

  it.each<DoorMessage>([
    { kind: 'keys', sealed: new Uint8Array(1) },
    { kind: 'acts', acts: [] },
    { kind: 'admission-refused', reason: 'used' },
  ])('of what only a member says ends it: $kind', (message) => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A });
    expect(fed(admitter, { kind: 'message', device: A, message })).toMatchObject([{ kind: 'close-link' }]);
  });

  it('of nothing at all gives its place to others', () => {
    const admitter = new Admitter();
    fed(admitter, { kind: 'link-up', device: A });
    expect(admitter.nextDeadlineMs()).toBe(SILENT_MS);
    expect(admitter.handle(SILENT_MS, { kind: 'tick' })).toMatchObject([{ kind: 'close-link', device: A }]);
    expect(admitter.nextDeadlineMs()).toBe(Infinity);
  });
});
