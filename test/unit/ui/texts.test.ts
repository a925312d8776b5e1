// The English sentences: the tables below have an example of every kind of failure, rejection and notice,
// which their types demand, and each is the sentence recorded in test/fixtures/public-face/sentences.txt
// (how: test/fixtures/public-face.ts).

import { describe, expect, it } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { Failure, Rejection } from '../../../src/core/model/failures.ts';
import type { Activity } from '../../../src/runtime/activity/told-activity.ts';
import type { Misdeed } from '../../../src/core/peer/misdeeds.ts';
import { SECURITY_EVENT_KINDS } from '../../../src/runtime/record-api.ts';
import type { Notice, QuotedDevice } from '../../../src/runtime/notice.ts';
import { en } from '../../../src/ui/text/en.ts';
import { explain } from '../../../src/ui/text/explain.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';
import { committedFace, linesOf } from '../../fixtures/public-face.ts';

/** For example 'storage-full device', for every member of the union. */
type FailureKey<Member extends Failure> = Member extends {
  readonly code: infer Code extends string;
  readonly reason: infer Reason extends string;
}
  ? `${Code} ${Reason}`
  : Member extends { readonly code: infer Code extends string; readonly what: infer What extends string }
    ? `${Code} ${What}`
    : Member['code'];

type Examples<Key extends string, Value> = { readonly [Each in Key]: readonly [Value, ...Value[]] };

const PHONE = { id: deviceAt(1).deviceId, name: "Ben's phone", isAmbiguous: false };
const TWIN = { ...PHONE, isAmbiguous: true };
const DAY_MS = 24 * 3_600_000;
const SETTINGS = { alwaysOn: 10_000, laptop: DAY_MS, phone: 90 * 60_000, repairShare: 250_000, k: 3, n: 6 };
const QUOTAS = { storeBytes: 2_000_000_000, giveBytes: 1_000_000_000 };
const NO_QUOTAS = { storeBytes: 0, giveBytes: 0 };

const ACTIVITIES: Examples<Activity['kind'], Activity> = {
  'device-gone': [{ kind: 'device-gone', device: PHONE, forMs: 3 * DAY_MS }],
  'device-back': [
    { kind: 'device-back', device: TWIN, forMs: 60_000 },
    { kind: 'device-back', device: { ...PHONE, name: '' }, forMs: 20_000 },
  ],
  'device-left': [{ kind: 'device-left', device: { ...PHONE, name: 'a\u202Eb' } }],
  'fragments-restored': [
    {
      kind: 'fragments-restored',
      file: 'trip.mp4',
      fileCount: 1,
      fragmentCount: 2,
      lostWith: [PHONE],
      forMs: 3 * DAY_MS,
    },
    {
      kind: 'fragments-restored',
      file: undefined,
      fileCount: 1,
      fragmentCount: 1,
      lostWith: [PHONE, TWIN],
      forMs: 14 * DAY_MS,
    },
    {
      kind: 'fragments-restored',
      file: 'x',
      fileCount: 1_200,
      fragmentCount: 2_400,
      lostWith: [PHONE],
      forMs: 0,
    },
    { kind: 'fragments-restored', file: '', fileCount: 1, fragmentCount: 2, lostWith: [], forMs: 0 },
  ],
  'file-removed': [
    { kind: 'file-removed', file: 'trip.mp4', fileCount: 1, by: PHONE },
    { kind: 'file-removed', file: undefined, fileCount: 2, by: PHONE },
    { kind: 'file-removed', file: 'trip.mp4', fileCount: 13, by: PHONE },
  ],
  'policy-changed': [
    { kind: 'policy-changed', by: PHONE, isSelf: true, parts: { phone: 60_000 } },
    { kind: 'policy-changed', by: PHONE, isSelf: false, parts: SETTINGS },
    { kind: 'policy-changed', by: PHONE, isSelf: false, parts: QUOTAS },
    { kind: 'policy-changed', by: PHONE, isSelf: false, parts: NO_QUOTAS },
  ],
};

const FAILURES: Examples<FailureKey<Failure>, Failure> = {
  'bad-invite unreadable': [{ code: 'bad-invite', reason: 'unreadable' }],
  'bad-invite expired': [{ code: 'bad-invite', reason: 'expired' }],
  'bad-invite used': [{ code: 'bad-invite', reason: 'used' }],
  'bad-invite withdrawn': [{ code: 'bad-invite', reason: 'withdrawn' }],
  'bad-invite shut-out': [{ code: 'bad-invite', reason: 'shut-out' }],
  'bad-argument invite-role': [{ code: 'bad-argument', reason: 'invite-role' }],
  'bad-argument invite-uses': [{ code: 'bad-argument', reason: 'invite-uses', max: 1_000 }],
  'bad-argument invite-time': [{ code: 'bad-argument', reason: 'invite-time', maxMs: 31_622_400_000 }],
  'bad-argument no-invite': [{ code: 'bad-argument', reason: 'no-invite' }],
  'bad-argument endless-invite': [{ code: 'bad-argument', reason: 'endless-invite' }],
  'bad-invite newer-version': [{ code: 'bad-invite', reason: 'newer-version' }],
  'bad-invite other-kind': [
    { code: 'bad-invite', reason: 'other-kind', wanted: 'join' },
    { code: 'bad-invite', reason: 'other-kind', wanted: 'file' },
  ],
  'bad-invite missing': [
    { code: 'bad-invite', reason: 'missing', part: 'invite', charCount: undefined },
    { code: 'bad-invite', reason: 'missing', part: 'invite', charCount: 4 },
    { code: 'bad-invite', reason: 'missing', part: 'file-id', charCount: undefined },
    { code: 'bad-invite', reason: 'missing', part: 'link-key', charCount: 1 },
  ],
  'bad-pair-code unreadable': [{ code: 'bad-pair-code', reason: 'unreadable' }],
  'bad-pair-code newer-version': [{ code: 'bad-pair-code', reason: 'newer-version' }],
  'bad-pair-code is-link': [{ code: 'bad-pair-code', reason: 'is-link' }],
  'bad-pair-code is-offer': [{ code: 'bad-pair-code', reason: 'is-offer' }],
  'bad-pair-code is-answer': [{ code: 'bad-pair-code', reason: 'is-answer' }],
  'bad-pair-code own': [{ code: 'bad-pair-code', reason: 'own' }],
  'bad-pair-code other-pool': [{ code: 'bad-pair-code', reason: 'other-pool' }],
  'bad-pair-code no-pool': [{ code: 'bad-pair-code', reason: 'no-pool' }],
  'bad-pair-code newcomer': [{ code: 'bad-pair-code', reason: 'newcomer' }],
  'bad-pair-code other-offer': [{ code: 'bad-pair-code', reason: 'other-offer' }],
  'bad-pair-code no-offer': [{ code: 'bad-pair-code', reason: 'no-offer' }],
  'bad-pair-code missing': [
    { code: 'bad-pair-code', reason: 'missing', charCount: undefined },
    { code: 'bad-pair-code', reason: 'missing', charCount: 1 },
    { code: 'bad-pair-code', reason: 'missing', charCount: 12 },
  ],
  'pairing-failed no-address': [{ code: 'pairing-failed', reason: 'no-address' }],
  'pairing-failed too-late': [{ code: 'pairing-failed', reason: 'too-late' }],
  'pairing-failed not-connected': [{ code: 'pairing-failed', reason: 'not-connected' }],
  'pairing-failed lost': [{ code: 'pairing-failed', reason: 'lost' }],
  'pairing-failed already-linked': [{ code: 'pairing-failed', reason: 'already-linked' }],
  'pairing-failed not-linked': [{ code: 'pairing-failed', reason: 'not-linked' }],
  'pairing-failed may-not-invite': [{ code: 'pairing-failed', reason: 'may-not-invite' }],
  'pairing-failed not-understood': [{ code: 'pairing-failed', reason: 'not-understood' }],
  'asking-failed not-listed': [{ code: 'asking-failed', reason: 'not-listed' }],
  'asking-failed not-answered': [{ code: 'asking-failed', reason: 'not-answered' }],
  'asking-failed refused': [{ code: 'asking-failed', reason: 'refused' }],
  'asking-failed busy': [{ code: 'asking-failed', reason: 'busy' }],
  'asking-failed too-late': [{ code: 'asking-failed', reason: 'too-late' }],
  'asking-failed differs': [{ code: 'asking-failed', reason: 'differs' }],
  'asking-failed other-signs': [{ code: 'asking-failed', reason: 'other-signs' }],
  'asking-failed other-digits': [{ code: 'asking-failed', reason: 'other-digits' }],
  'asking-failed lost': [{ code: 'asking-failed', reason: 'lost' }],
  'asking-failed not-shown': [{ code: 'asking-failed', reason: 'not-shown' }],
  'asking-failed given-up': [{ code: 'asking-failed', reason: 'given-up' }],
  'asking-failed not-joined': [{ code: 'asking-failed', reason: 'not-joined' }],
  'asking-failed over': [{ code: 'asking-failed', reason: 'over' }],
  'asking-failed not-understood': [{ code: 'asking-failed', reason: 'not-understood' }],
  'not-in-pool left': [{ code: 'not-in-pool', reason: 'left' }],
  'not-in-pool in-none': [{ code: 'not-in-pool', reason: 'in-none' }],
  'already-in-pool': [{ code: 'already-in-pool' }],
  'unknown-file not-an-id': [{ code: 'unknown-file', reason: 'not-an-id' }],
  'unknown-file not-heard-of': [{ code: 'unknown-file', reason: 'not-heard-of' }],
  'not-allowed reader': [{ code: 'not-allowed', reason: 'reader' }],
  'not-allowed file-of-another': [{ code: 'not-allowed', reason: 'file-of-another' }],
  'not-allowed private-name': [{ code: 'not-allowed', reason: 'private-name' }],
  'not-allowed admins-only': [{ code: 'not-allowed', reason: 'admins-only' }],
  'not-allowed above': [{ code: 'not-allowed', reason: 'above' }],
  'not-allowed self': [{ code: 'not-allowed', reason: 'self' }],
  'not-allowed last-admin': [{ code: 'not-allowed', reason: 'last-admin' }],
  'not-allowed no-code': [{ code: 'not-allowed', reason: 'no-code' }],
  'not-allowed no-roles': [{ code: 'not-allowed', reason: 'no-roles' }],
  'not-allowed shut-out': [{ code: 'not-allowed', reason: 'shut-out' }],
  'not-allowed not-in': [{ code: 'not-allowed', reason: 'not-in' }],
  'not-allowed private-file': [{ code: 'not-allowed', reason: 'private-file' }],
  'not-allowed keys-known': [{ code: 'not-allowed', reason: 'keys-known' }],
  'bad-argument no-device': [{ code: 'bad-argument', reason: 'no-device' }],
  'bad-argument no-role': [{ code: 'bad-argument', reason: 'no-role' }],
  'removed-file before': [{ code: 'removed-file', reason: 'before' }],
  'removed-file while-read': [{ code: 'removed-file', reason: 'while-read' }],
  'removed-file while-placed': [{ code: 'removed-file', reason: 'while-placed' }],
  'link-needed no-link': [{ code: 'link-needed', reason: 'no-link' }],
  'link-needed of-another-file': [{ code: 'link-needed', reason: 'of-another-file' }],
  'link-needed does-not-open': [{ code: 'link-needed', reason: 'does-not-open' }],
  'file-needed no-handle': [{ code: 'file-needed', reason: 'no-handle', name: 'film.mp4' }],
  'file-needed moved': [{ code: 'file-needed', reason: 'moved', name: 'film.mp4' }],
  'file-needed not-allowed': [{ code: 'file-needed', reason: 'not-allowed', name: 'film\u202E.mp4' }],
  'not-enough-fragments': [
    { code: 'not-enough-fragments', reach: 1, k: 4, silent: [], isHeard: false },
    { code: 'not-enough-fragments', reach: 3, k: 4, silent: ['Ben'], isHeard: false },
    { code: 'not-enough-fragments', reach: 1, k: 4, silent: ['Ben', 'Anna'], isHeard: false },
    { code: 'not-enough-fragments', reach: 3, k: 4, silent: ['Ben'], isHeard: true },
    { code: 'not-enough-fragments', reach: 1, k: 4, silent: ['Ben', 'Anna'], isHeard: true },
  ],
  'bad-argument no-name': [
    { code: 'bad-argument', reason: 'no-name', of: 'pool' },
    { code: 'bad-argument', reason: 'no-name', of: 'device' },
    { code: 'bad-argument', reason: 'no-name', of: 'file' },
  ],
  'bad-argument invisible-name': [{ code: 'bad-argument', reason: 'invisible-name', of: 'pool' }],
  'bad-argument long-name': [{ code: 'bad-argument', reason: 'long-name', of: 'device', maxBytes: 64 }],
  'bad-argument characters': [{ code: 'bad-argument', reason: 'characters', of: 'name' }],
  'bad-argument long-file-name': [{ code: 'bad-argument', reason: 'long-file-name', maxUnits: 255 }],
  'bad-argument long-detail': [
    { code: 'bad-argument', reason: 'long-detail', of: 'name', maxBytes: 255 },
    { code: 'bad-argument', reason: 'long-detail', of: 'path', maxBytes: 4096 },
    { code: 'bad-argument', reason: 'long-detail', of: 'mime', maxBytes: 255 },
  ],
  'bad-argument range': [{ code: 'bad-argument', reason: 'range', start: 5, end: 3, size: 10 }],
  'bad-argument fragment-counts': [{ code: 'bad-argument', reason: 'fragment-counts', max: 255 }],
  'bad-argument not-a-mirror': [{ code: 'bad-argument', reason: 'not-a-mirror' }],
  'bad-argument policy-parts': [
    { code: 'bad-argument', reason: 'policy-parts', of: 'policy' },
    { code: 'bad-argument', reason: 'policy-parts', of: 'graceMs' },
  ],
  'bad-argument policy-grace': [
    { code: 'bad-argument', reason: 'policy-grace', of: 'alwaysOn', minMs: 10_000, maxMs: 31_622_400_000 },
    { code: 'bad-argument', reason: 'policy-grace', of: 'phone', minMs: 10_000, maxMs: 31_622_400_000 },
  ],
  'bad-argument policy-share': [{ code: 'bad-argument', reason: 'policy-share', min: 0.01 }],
  'bad-argument policy-placement': [{ code: 'bad-argument', reason: 'policy-placement', max: 4 }],
  'bad-argument policy-counts': [{ code: 'bad-argument', reason: 'policy-counts', min: 2, max: 255 }],
  'bad-argument policy-quota': [
    { code: 'bad-argument', reason: 'policy-quota', of: 'storeBytes', min: 1_000_000, max: 10 ** 15 },
    { code: 'bad-argument', reason: 'policy-quota', of: 'giveBytes', min: 1_000_000, max: 10 ** 15 },
  ],
  'over-quota gives': [
    { code: 'over-quota', reason: 'gives', wantedBytes: 1_000_000_000, givenBytes: 300_000_000 },
  ],
  'over-quota stores': [
    {
      code: 'over-quota',
      reason: 'stores',
      limitBytes: 2_000_000_000,
      usedBytes: 1_900_000_000,
      neededBytes: 400_000_000,
      removable: { name: 'film.mp4', bytes: 800_000_000 },
    },
    {
      code: 'over-quota',
      reason: 'stores',
      limitBytes: 2_000_000_000,
      usedBytes: 0,
      neededBytes: 4_000_000_000,
      removable: undefined,
    },
  ],
  'over-quota store-kept': [
    kept({ code: 'over-quota', reason: 'gives', wantedBytes: 1e9, givenBytes: 3e8 }, 'over-quota'),
  ],
  'bad-argument large-file': [{ code: 'bad-argument', reason: 'large-file', size: 10, k: 4 }],
  'bad-argument short-passphrase': [{ code: 'bad-argument', reason: 'short-passphrase', minChars: 8 }],
  'bad-argument long-passphrase': [{ code: 'bad-argument', reason: 'long-passphrase', maxBytes: 1024 }],
  'bad-argument no-passphrase': [{ code: 'bad-argument', reason: 'no-passphrase' }],
  'bad-argument too-many-files': [{ code: 'bad-argument', reason: 'too-many-files', max: 10_000 }],
  'bad-argument record-limit': [{ code: 'bad-argument', reason: 'record-limit', max: 1_000 }],
  'bad-argument record-place': [{ code: 'bad-argument', reason: 'record-place' }],
  locked: [{ code: 'locked' }],
  'bad-argument policy-rotation': [
    { code: 'bad-argument', reason: 'policy-rotation', minMs: 604_800_000, maxMs: 31_622_400_000 },
  ],
  'bad-invite upgraded': [{ code: 'bad-invite', reason: 'upgraded' }],
  'bad-argument upgrade-too-large': [{ code: 'bad-argument', reason: 'upgrade-too-large', max: 256 }],
  'bad-argument has-roles': [{ code: 'bad-argument', reason: 'has-roles' }],
  'bad-argument no-upgrade': [{ code: 'bad-argument', reason: 'no-upgrade' }],
  'bad-argument wrong-upgrade-code': [{ code: 'bad-argument', reason: 'wrong-upgrade-code' }],
  'bad-argument no-part': [{ code: 'bad-argument', reason: 'no-part' }],
  'bad-argument wrong-part-code': [{ code: 'bad-argument', reason: 'wrong-part-code' }],
  'bad-argument no-offer': [{ code: 'bad-argument', reason: 'no-offer' }],
  'bad-argument part-out': [{ code: 'bad-argument', reason: 'part-out' }],
  'bad-argument part-too-large': [{ code: 'bad-argument', reason: 'part-too-large', max: 256 }],
  'not-allowed not-named': [{ code: 'not-allowed', reason: 'not-named' }],
  'bad-recovery-code length': [{ code: 'bad-recovery-code', reason: 'length' }],
  'bad-recovery-code characters': [{ code: 'bad-recovery-code', reason: 'characters' }],
  'bad-recovery-code mistyped': [{ code: 'bad-recovery-code', reason: 'mistyped' }],
  'bad-recovery-code unknown': [{ code: 'bad-recovery-code', reason: 'unknown' }],
  'bad-recovery-code used': [{ code: 'bad-recovery-code', reason: 'used' }],
  'bad-argument too-many-out': [{ code: 'bad-argument', reason: 'too-many-out', max: 16 }],
  'not-allowed first-admins-only': [{ code: 'not-allowed', reason: 'first-admins-only' }],
  'bad-argument passkey-only': [{ code: 'bad-argument', reason: 'passkey-only' }],
  'bad-argument no-passkey': [{ code: 'bad-argument', reason: 'no-passkey' }],
  'bad-argument has-passkey': [{ code: 'bad-argument', reason: 'has-passkey' }],
  'bad-argument passkey-asked': [{ code: 'bad-argument', reason: 'passkey-asked' }],
  'passkey-failed not-used': [{ code: 'passkey-failed', reason: 'not-used' }],
  'passkey-failed no-secret': [{ code: 'passkey-failed', reason: 'no-secret' }],
  'passkey-failed wrong': [{ code: 'passkey-failed', reason: 'wrong' }],
  'passkey-failed refused': [{ code: 'passkey-failed', reason: 'refused', detail: 'SecurityError: no' }],
  'unsupported passkey-address': [{ code: 'unsupported', reason: 'passkey-address' }],
  'unsupported no-passkeys': [{ code: 'unsupported', reason: 'no-passkeys' }],
  'unsupported passkey-prf': [{ code: 'unsupported', reason: 'passkey-prf' }],
  'not-allowed first-admins-join': [{ code: 'not-allowed', reason: 'first-admins-join' }],
  'not-allowed offered': [{ code: 'not-allowed', reason: 'offered' }],
  'wrong-passphrase': [{ code: 'wrong-passphrase' }],
  'corrupt lock': [{ code: 'corrupt', reason: 'lock' }],
  'unsupported no-pairing': [{ code: 'unsupported', reason: 'no-pairing' }],
  'unsupported no-nearby': [{ code: 'unsupported', reason: 'no-nearby' }],
  'unsupported no-lock': [{ code: 'unsupported', reason: 'no-lock' }],
  'bad-argument no-unfinished-store': [{ code: 'bad-argument', reason: 'no-unfinished-store' }],
  'bad-argument store-goes-on': [{ code: 'bad-argument', reason: 'store-goes-on', name: 'film.mp4' }],
  'bad-argument internal': [{ code: 'bad-argument', reason: 'internal', detail: 'shard 3 is there twice' }],
  'link-closed before-the-answer': [{ code: 'link-closed', reason: 'before-the-answer' }],
  'link-closed closed': [{ code: 'link-closed', reason: 'closed', detail: 'there is none now' }],
  'deadline no-answer': [{ code: 'deadline', reason: 'no-answer' }],
  'deadline busy': [{ code: 'deadline', reason: 'busy' }],
  'deadline storage': [{ code: 'deadline', reason: 'storage' }],
  'cancelled transfer': [{ code: 'cancelled', reason: 'transfer' }],
  'cancelled waiting': [{ code: 'cancelled', reason: 'waiting' }],
  'cancelled closing': [{ code: 'cancelled', reason: 'closing' }],
  'cancelled not-wanted': [{ code: 'cancelled', reason: 'not-wanted' }],
  'cancelled stays': [{ code: 'cancelled', reason: 'stays' }],
  'refused no-room-elsewhere': [
    { code: 'refused', reason: 'no-room-elsewhere', fragmentCount: 1 },
    { code: 'refused', reason: 'no-room-elsewhere', fragmentCount: 3 },
  ],
  'refused sealing-too-much': [{ code: 'refused', reason: 'sealing-too-much' }],
  'refused download-is-open': [{ code: 'refused', reason: 'download-is-open' }],
  'refused stored-in-another-tab': [{ code: 'refused', reason: 'stored-in-another-tab' }],
  'refused not-there': [{ code: 'refused', reason: 'not-there' }],
  'refused not-here': [{ code: 'refused', reason: 'not-here' }],
  'storage-full device': [{ code: 'storage-full', reason: 'device' }],
  'storage-full download': [{ code: 'storage-full', reason: 'download' }],
  'storage-full picked-file': [{ code: 'storage-full', reason: 'picked-file' }],
  'log-full no-more-files': [{ code: 'log-full', reason: 'no-more-files' }],
  'log-full nothing-more': [{ code: 'log-full', reason: 'nothing-more' }],
  'storage-failed not-all-deleted': [{ code: 'storage-failed', reason: 'not-all-deleted' }],
  'storage-failed pool-key-damaged': [{ code: 'storage-failed', reason: 'pool-key-damaged' }],
  'storage-failed closing': [{ code: 'storage-failed', reason: 'closing' }],
  'storage-failed updated-elsewhere': [{ code: 'storage-failed', reason: 'updated-elsewhere' }],
  'storage-failed files-not-given': [{ code: 'storage-failed', reason: 'files-not-given' }],
  'storage-failed gone': [{ code: 'storage-failed', reason: 'gone' }],
  'storage-failed takeover': [{ code: 'storage-failed', reason: 'takeover' }],
  'storage-failed block-missing': [{ code: 'storage-failed', reason: 'block-missing' }],
  'storage-failed row-let-go': [{ code: 'storage-failed', reason: 'row-let-go' }],
  'storage-failed fragment-worker': [{ code: 'storage-failed', reason: 'fragment-worker' }],
  'storage-failed download-not-open': [{ code: 'storage-failed', reason: 'download-not-open' }],
  'storage-failed download-changed': [{ code: 'storage-failed', reason: 'download-changed' }],
  'storage-failed picked-file-gone': [{ code: 'storage-failed', reason: 'picked-file-gone' }],
  'storage-failed picked-file-locked': [{ code: 'storage-failed', reason: 'picked-file-locked' }],
  'storage-failed database': [
    { code: 'storage-failed', reason: 'database', detail: 'DataError', mayBeFull: false },
    { code: 'storage-failed', reason: 'database', detail: 'UnknownError', mayBeFull: true },
    { code: 'storage-failed', reason: 'database', detail: undefined, mayBeFull: false },
  ],
  'storage-failed download': [{ code: 'storage-failed', reason: 'download', detail: 'OddError' }],
  'storage-failed picked-file': [{ code: 'storage-failed', reason: 'picked-file', detail: 'OddError' }],
  'corrupt device-key': [{ code: 'corrupt', reason: 'device-key' }],
  'corrupt pool-secrets': [{ code: 'corrupt', reason: 'pool-secrets' }],
  'corrupt block-not-stored': [{ code: 'corrupt', reason: 'block-not-stored' }],
  'corrupt index-not-stored': [{ code: 'corrupt', reason: 'index-not-stored' }],
  'corrupt block-dropped': [{ code: 'corrupt', reason: 'block-dropped' }],
  'corrupt fragment-dropped': [{ code: 'corrupt', reason: 'fragment-dropped' }],
  'corrupt index-of-another-id': [{ code: 'corrupt', reason: 'index-of-another-id' }],
  'corrupt index-of-another-file': [{ code: 'corrupt', reason: 'index-of-another-file' }],
  'corrupt block-length': [{ code: 'corrupt', reason: 'block-length' }],
  'corrupt answer': [{ code: 'corrupt', reason: 'answer' }],
  'corrupt not-small': [{ code: 'corrupt', reason: 'not-small' }],
  'corrupt copy-elsewhere': [{ code: 'corrupt', reason: 'copy-elsewhere' }],
  'corrupt segment': [
    { code: 'corrupt', reason: 'segment', segment: 0, segmentCount: 9, detail: 'its padding is not zero' },
  ],
  'source-changed while-read': [{ code: 'source-changed', reason: 'while-read' }],
  'source-changed while-sealed': [{ code: 'source-changed', reason: 'while-sealed' }],
  'source-changed gone': [
    { code: 'source-changed', reason: 'gone', of: 'file' },
    { code: 'source-changed', reason: 'gone', of: 'folder' },
  ],
  'source-changed unreadable': [
    { code: 'source-changed', reason: 'unreadable', of: 'file' },
    { code: 'source-changed', reason: 'unreadable', of: 'folder' },
  ],
  'source-changed not-given': [{ code: 'source-changed', reason: 'not-given' }],
  'source-changed unread': [{ code: 'source-changed', reason: 'unread', name: 'film.mp4' }],
  'bad-message record': [{ code: 'bad-message', what: 'record', detail: 'a map was expected' }],
  'bad-message frame': [{ code: 'bad-message', what: 'frame', detail: 'an empty frame' }],
  'bad-message envelope': [{ code: 'bad-message', what: 'envelope', detail: 'it is cut short' }],
  'bad-message relay-frame': [{ code: 'bad-message', what: 'relay-frame', detail: 'it is not a map' }],
  'unsupported no-files': [{ code: 'unsupported', reason: 'no-files' }],
  'unsupported insecure-page': [{ code: 'unsupported', reason: 'insecure-page' }],
  'unsupported no-ed25519': [{ code: 'unsupported', reason: 'no-ed25519' }],
  'unsupported coding': [{ code: 'unsupported', reason: 'coding' }],
  'unsupported large-download': [{ code: 'unsupported', reason: 'large-download' }],
  'unsupported wasm': [{ code: 'unsupported', reason: 'wasm', detail: 'not the erasure kernel' }],
  'other-tab has-device': [{ code: 'other-tab', reason: 'has-device' }],
  'other-tab download-there': [{ code: 'other-tab', reason: 'download-there' }],
  'other-tab ended-unheard': [{ code: 'other-tab', reason: 'ended-unheard' }],
  'other-tab leave-there': [{ code: 'other-tab', reason: 'leave-there' }],
  'other-tab older-version': [{ code: 'other-tab', reason: 'older-version' }],
  'worker-failed codec': [{ code: 'worker-failed', reason: 'codec' }],
  'worker-failed downloads': [{ code: 'worker-failed', reason: 'downloads' }],
  'worker-failed coding': [{ code: 'worker-failed', reason: 'coding' }],
  'worker-failed app-updated': [{ code: 'worker-failed', reason: 'app-updated' }],
  'worker-failed relay-gone': [{ code: 'worker-failed', reason: 'relay-gone' }],
  'worker-failed not-loaded': [{ code: 'worker-failed', reason: 'not-loaded', status: 503 }],
  'worker-failed threw': [{ code: 'worker-failed', reason: 'threw', detail: 'TypeError: no.' }],
  'storage-full store-kept': [kept({ code: 'storage-full', reason: 'device' }, 'storage-full')],
  'storage-failed store-kept': [
    kept({ code: 'storage-failed', reason: 'fragment-worker' }, 'storage-failed'),
  ],
  'worker-failed store-kept': [kept({ code: 'worker-failed', reason: 'codec' }, 'worker-failed')],
  'refused store-kept': [kept({ code: 'refused', reason: 'sealing-too-much' }, 'refused')],
};

const REJECTIONS: Examples<Rejection['kind'], Rejection> = {
  failure: [
    { kind: 'failure', failure: { code: 'bad-message', what: 'envelope', detail: 'it is cut short' } },
  ],
  'too-much-signaling': [{ kind: 'too-much-signaling' }],
  letter: [{ kind: 'letter', detail: 'more offers than a device needs' }],
  'not-read': [{ kind: 'not-read' }],
  'no-connection': [{ kind: 'no-connection', detail: 'TypeError: no' }],
  'relay-address': [{ kind: 'relay-address', detail: 'SyntaxError: no' }],
  twin: [{ kind: 'twin' }],
  'relay-closed': [{ kind: 'relay-closed', detail: 'the room is full' }],
};

const BEN = { id: deviceAt(1).deviceId, name: 'Ben', isAmbiguous: false };

const NOTICES: Examples<Exclude<Notice['kind'], 'misdeed' | 'misdeed-of-others'>, Notice> = {
  failure: [{ kind: 'failure', failure: { code: 'storage-full', reason: 'device' } }],
  bug: [{ kind: 'bug', detail: 'TypeError: x is not a function' }],
  rejection: [{ kind: 'rejection', rejection: { kind: 'too-much-signaling' } }],
  'nobody-answers': [{ kind: 'nobody-answers' }],
  'unfinished-damaged': [{ kind: 'unfinished-damaged' }],
  'rows-left-out': [{ kind: 'rows-left-out', count: 3 }],
  'catalogue-damaged': [{ kind: 'catalogue-damaged' }],
  'key-not-locked': [{ kind: 'key-not-locked' }],
  'shut-out': [
    { kind: 'shut-out', by: BEN, reason: '' },
    { kind: 'shut-out', by: BEN, reason: 'Lost on the tram' },
  ],
  'taken-in': [
    { kind: 'taken-in', by: BEN, isMember: true },
    { kind: 'taken-in', by: BEN, isMember: false },
  ],
  'another-file': [{ kind: 'another-file', interrupted: 'film.mp4', chosen: 'other.mp4' }],
  'damaged-here': [
    { kind: 'damaged-here', what: 'block', file: 'film.mp4' },
    { kind: 'damaged-here', what: 'index', file: undefined },
  ],
  'damaged-offer': [{ kind: 'damaged-offer', from: BEN }],
  'damaged-block': [{ kind: 'damaged-block', from: BEN }],
  'device-full': [{ kind: 'device-full' }],
  'unreadable-message': [{ kind: 'unreadable-message' }],
  'other-version': [
    { kind: 'other-version', device: BEN, isOlder: true },
    { kind: 'other-version', device: BEN, isOlder: false },
  ],
};

const MISDEEDS: { readonly [What in Misdeed]: readonly [one: string, many: string] } = {
  'removed-files': ['1 file ', '1,400 files '],
  'forged-records': ['1 record ', '1,400 records '],
  'forked-log': ['split: ', '1,400 times'],
  'overfull-log': ['1 record ', '1,400 records '],
  'false-claims': ['1 fragment ', '1,400 fragments '],
  'false-equal': ['1 file ', '1,400 files '],
  'future-name': ['1 name ', '1,400 names '],
  withheld: ['1 fragment ', '1,400 fragments '],
};

const RECORDED = [
  { kind: 'profile', seq: 1, name: 'Ben' },
  { kind: 'profile', seq: 2, name: 'Ben' },
  { kind: 'pool', name: 'Home' },
  { kind: 'file', fileName: 'trip.mp4' },
  { kind: 'file' },
  { kind: 'name', fileName: 'trip.mp4' },
  { kind: 'remove', fileName: 'trip.mp4' },
  { kind: 'unname' },
  { kind: 'policy' },
  { kind: 'leave' },
  { kind: 'charter', counts: true },
  { kind: 'grant', counts: true, about: PHONE, role: 'admin' as const },
  { kind: 'grant', counts: false, about: PHONE, role: 'reader' as const },
  { kind: 'shut-out', counts: true, about: PHONE },
  { kind: 'keep', counts: true, about: PHONE },
  { kind: 'admit', counts: true, about: PHONE },
  { kind: 'admit', counts: false },
  { kind: 'withdraw', counts: true },
  { kind: 'epoch', counts: true },
  { kind: 'epoch-keys', counts: true },
  { kind: 'exchange', counts: true },
  { kind: 'code', counts: true },
  { kind: 'recover', counts: true, about: PHONE },
  { kind: 'merge', counts: true },
  { kind: 'unreadable' },
  { kind: 'granted' },
];

describe('each sentence', () => {
  const sentences = [
    ...rowsOf(FAILURES, (failure) => en.errorText(failure)),
    ...rowsOf(REJECTIONS, (rejection) => en.noticeText({ kind: 'rejection', rejection })),
    ...rowsOf(NOTICES, (notice) => en.noticeText(notice)),
    ...rowsOf(ACTIVITIES, (activity) => en.activityText(activity)),
    ...RECORDED.map((said) => {
      const item = { entryId: 'e', deviceId: BEN.id, by: BEN, seq: 3, atMs: 0, state: 'verified' as const };
      return `record ${said.kind}: ${en.recordText({ ...item, ...said })}`;
    }),
    ...SECURITY_EVENT_KINDS.flatMap((kind) =>
      [BEN, undefined].map((by, at) => {
        const event = { kind, by, count: 1 + 3 * at, firstAtMs: 0, lastAtMs: 0 };
        return `event ${kind}: ${en.securityEventText(event)}`;
      }),
    ),
    ...misdeedsOf(MISDEEDS).flatMap((what) =>
      [1, 1_400].flatMap((count) => [
        `${what}: ${en.noticeText({ kind: 'misdeed', what, device: BEN, count })}`,
        `${what} of others: ${en.noticeText({ kind: 'misdeed-of-others', what, deviceCount: Math.min(count, 12), count })}`,
      ]),
    ),
  ];

  it('is the committed one', () => {
    const found = linesOf(sentences);
    expect(found).toBe(committedFace('sentences', found));
  });

  it('has all its parameters', () => {
    expect(sentences.filter((sentence) => /undefined|null|NaN|\[object/u.test(sentence))).toEqual([]);
  });
});

describe('a table', () => {
  it('has an example of each failure under its own name', () => {
    for (const [key, examples] of Object.entries(FAILURES)) {
      for (const failure of examples) expect(key).toBe(keyOf(failure));
    }
    for (const [key, examples] of [...Object.entries(REJECTIONS), ...Object.entries(NOTICES)]) {
      for (const { kind } of examples) expect(key).toBe(kind);
    }
  });
});

describe('a name in a sentence', () => {
  it('shows invisible characters', () => {
    expect(en.errorText({ code: 'bad-argument', reason: 'store-goes-on', name: 'a\u202Eb' })).toContain(
      '“a⟦U+202E⟧b”',
    );
  });
});

describe('a misdeed', () => {
  it.each(misdeedsOf(MISDEEDS))('(%s) names the device, counts, and says what can be done', (what) => {
    const [one, many] = MISDEEDS[what];
    expect(toldOf(what, BEN, 1_400)).toContain('“Ben”');
    expect(toldOf(what, BEN, 1_400)).toContain(many);
    expect(toldOf(what, BEN, 1)).toContain(one);
    expect(toldOf(what, BEN, 1)).not.toMatch(/\b1 \w+s\b/u);
    expect(toldOf(what, BEN, 1_400)).toMatch(/can|let that device|Set that|Remove|keep the originals/u);
  });

  it.each(misdeedsOf(MISDEEDS))('(%s) of others says how many they are, and what can be done', (what) => {
    const many = en.noticeText({ kind: 'misdeed-of-others', what, deviceCount: 12, count: 1_400 });
    expect(many).toContain('And 12 other devices');
    expect(many).toContain('1,400');
    expect(many).toContain('start a new pool');
    const one = en.noticeText({ kind: 'misdeed-of-others', what, deviceCount: 1, count: 1 });
    expect(one).toContain('And 1 other device ');
  });
});

describe('an error', () => {
  it('below the screens has a message for logs', () => {
    expect(new PalmError({ code: 'already-in-pool' }).message).toBe('already-in-pool');
    expect(String(new PalmError({ code: 'deadline', reason: 'busy' }))).toBe(
      'PalmError: deadline {"reason":"busy"}',
    );
  });

  it('that is not Palm’s is named as a bug', () => {
    expect(explain(new TypeError('x is not a function'))).toContain('TypeError: x is not a function');
    expect(explain(new PalmError({ code: 'already-in-pool' }))).toBe(
      en.errorText({ code: 'already-in-pool' }),
    );
  });
});

function toldOf(what: Misdeed, device: QuotedDevice, count: number): string {
  return en.noticeText({ kind: 'misdeed', what, device, count });
}

function kept(failure: Failure, code: Extract<Failure, { readonly reason: 'store-kept' }>['code']): Failure {
  return { code, reason: 'store-kept', name: 'film.mp4', failure };
}

function keyOf(failure: Failure): string {
  if ('reason' in failure) return `${failure.code} ${failure.reason}`;
  return 'what' in failure ? `${failure.code} ${failure.what}` : failure.code;
}

/** A line for each example; those after the first are numbered. */
function rowsOf<Value>(
  table: Readonly<Record<string, readonly Value[]>>,
  textOf: (value: Value) => string,
): string[] {
  return Object.entries(table).flatMap(([key, values]) =>
    values.map((value, at) => `${key}${at === 0 ? '' : ` ${at + 1}`}: ${textOf(value)}`),
  );
}

function misdeedsOf(table: Readonly<Record<Misdeed, unknown>>): Misdeed[] {
  return Object.keys(table).filter((key): key is Misdeed => Object.hasOwn(table, key));
}
