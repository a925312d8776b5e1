// What leaves the public face gets the given words; codes, causes and bugs stay unchanged.

import { expect, it } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { Palm } from '../../../src/runtime/api.ts';
import type { PieceSource } from '../../../src/runtime/read/piece-stream.ts';
import type { ListedActivity } from '../../../src/runtime/activity/told-activity.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';
import { WordedPalm, type WordlessPalm } from '../../../src/runtime/worded-palm.ts';

const FAILURE = { code: 'storage-full', reason: 'device' } as const;
const TEXTS = {
  activityText: ({ kind }: { kind: string }) => `words for ${kind}`,
  errorText: ({ code }: { code: string }) => `words for ${code}`,
  noticeText: ({ kind }: { kind: string }) => `words for ${kind}`,
  recordText: ({ kind }: { kind: string }) => `words for ${kind}`,
  securityEventText: ({ kind }: { kind: string }) => `words for ${kind}`,
  findingText: ({ what }: { what: string }) => ({ title: what, text: `words for ${what}` }),
  doctorReport: () => 'report',
};

it.each<[string, (palm: Palm) => unknown]>([
  ['ready', (palm) => palm.ready],
  ['createPool', (palm) => palm.createPool({ name: 'Home' })],
  ['join', (palm) => palm.join('')],
  ['store', (palm) => palm.store(new Blob(), { name: 'a' })],
  ['resumeStore', (palm) => palm.resumeStore('a')],
  ['discardStore', (palm) => palm.discardStore('a')],
  ['openLink', (palm) => palm.openLink('a')],
  ['remove', (palm) => palm.remove('a')],
  ['leave', (palm) => palm.leave()],
  ['setDeviceName', (palm) => palm.setDeviceName('a')],
  ['record', (palm) => palm.record()],
  ['exportRecord', (palm) => palm.exportRecord()],
  ['diagnose', (palm) => palm.diagnose()],
  ['lock', (palm) => palm.lock('a')],
  ['unlock', (palm) => palm.unlock('a')],
  ['lockWithPasskey', (palm) => palm.lockWithPasskey()],
  ['unlockWithPasskey', (palm) => palm.unlockWithPasskey()],
  ['setPolicy', (palm) => palm.setPolicy({ k: 3 })],
  ['read, when it starts', (palm) => palm.read('start').getReader().read()],
  ['read, at a piece', (palm) => palm.read('piece').getReader().read()],
  ['read, from outside', (palm) => palm.read('outside').getReader().read()],
  ['read, when it is cancelled', (palm) => palm.read('cancel').cancel()],
])('a failure of %s has its words, its code and what it came from', async (_name, call) => {
  const error = new PalmError(FAILURE);
  const palm = new WordedPalm(failingWith(error), TEXTS);
  const failing = expect(call(palm)).rejects;
  await failing.toMatchObject({
    name: 'PalmError',
    message: 'words for storage-full',
    code: 'storage-full',
    cause: error,
  });
});

it('a failure of invites or policy is thrown with its words', () => {
  const palm = new WordedPalm(failingWith(new PalmError(FAILURE)), TEXTS);
  expect(() => palm.invites()).toThrow('words for storage-full');
  expect(() => palm.policy()).toThrow('words for storage-full');
});

it('a bug is passed on unchanged', async () => {
  const bug = new TypeError('x is not a function');
  const palm = new WordedPalm(failingWith(bug), TEXTS);
  await expect(palm.leave()).rejects.toBe(bug);
});

it('a notice has its words, without the parameters that they were made from', () => {
  const palm = new WordedPalm(failingWith(new PalmError(FAILURE)), TEXTS);
  expect(palm.status().notices).toEqual([
    { id: 1, atMs: 2, level: 'warning', text: 'words for device-full' },
  ]);
});

const DEVICE = { id: deviceAt(0).deviceId, name: 'Ben', isAmbiguous: false };
const ACTIVITY: readonly ListedActivity[] = [
  { id: 3, atMs: 7, activity: { kind: 'device-left', device: DEVICE } },
];

it('activity has its words and its kind, and stays the same object while nothing happens', () => {
  const palm = new WordedPalm(failingWith(new PalmError(FAILURE)), TEXTS);
  const { activity } = palm.status();
  expect(activity).toEqual([{ id: 3, atMs: 7, kind: 'device-left', text: 'words for device-left' }]);
  expect(palm.status().activity).toBe(activity);
});

/** Every call of it fails with `error`; reads fail where their file says. */
function failingWith(thrown: Error): WordlessPalm {
  const fail = async (): Promise<never> => {
    throw thrown;
  };
  return {
    ready: fail(),
    createPool: fail,
    invite: fail,
    invites: () => {
      throw thrown;
    },
    withdrawInvite: fail,
    rekey: fail,
    cancelRekey: fail,
    pairing: { offer: fail, answer: fail, accept: fail, cancel: () => undefined },
    lobby: {
      look: fail,
      stopLooking: () => undefined,
      ask: fail,
      confirm: fail,
      cancel: () => undefined,
      setListed: fail,
      compare: fail,
      allow: fail,
      refuse: () => undefined,
    },
    join: fail,
    store: fail,
    resumeStore: fail,
    discardStore: fail,
    openLink: fail,
    remove: fail,
    rename: fail,
    pin: fail,
    unpin: fail,
    repair: fail,
    leave: fail,
    setDeviceName: fail,
    setPolicy: fail,
    grant: fail,
    shutOut: fail,
    rotate: fail,
    makeRecoveryCode: fail,
    offerPart: fail,
    withdrawOffer: fail,
    takeInPart: fail,
    recover: fail,
    upgrade: fail,
    followUpgrade: fail,
    lockWays: fail,
    lock: fail,
    unlock: fail,
    record: fail,
    exportRecord: fail,
    diagnose: fail,
    policy: () => {
      throw thrown;
    },
    pieces: (where): PieceSource => ({
      start: async (failOutside) => {
        if (where === 'start') await fail();
        if (where === 'outside') failOutside(thrown);
      },
      next: async () => (where === 'piece' ? fail() : new Uint8Array(1)),
      cancel: fail,
    }),
    status: () => ({
      device: { id: '', name: '' },
      devices: [],
      files: [],
      transfers: [],
      unfinished: [],
      repairs: [],
      activity: ACTIVITY,
      lock: 'none',
      notices: [{ id: 1, atMs: 2, level: 'warning', notice: { kind: 'device-full' } }],
    }),
    subscribe: () => () => undefined,
    cancel: () => undefined,
  };
}
