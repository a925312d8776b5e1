// The contents of a stolen profile: what the thief of test/thief opened, and secrets known to the test that
// the profile still has.

import { readJoinLink } from '../../src/core/model/invite.ts';
import { sha256 } from '../thief/keys.ts';
import { keyNeedles, nameNeedles, type Needle, plainNeedles, type Trace, traces } from '../thief/needles.ts';
import { type Haul, robFolders, type RobbedFile } from '../thief/recovery.ts';
import type { Content } from './device-calls.ts';
import type { ProfileDevice, StoreSecrets } from './profile-device.ts';
import { seededBytes } from './seeded-bytes.ts';

/** At the default 4 of 8, bytes. */
export const SEGMENT_BYTES = 4 * 241_664 - 16;

/** Everything that must not be in a profile. */
export interface Secrets {
  /** Keys and shares of stores. */
  readonly stores?: StoreSecrets;
  readonly names?: readonly string[];
  /** Files of which no slice and no segment hash may be there. */
  readonly contents?: readonly Content[];
  /** An invite with a pool secret that must not be there. */
  readonly invite?: string;
}

export interface Findings {
  /** Files of which the thief opened at least a segment, or has both halves of the key. */
  readonly opened: readonly string[];
  /** Files of which the thief has k key shares. */
  readonly shares: readonly string[];
  /** Remains of unfinished stores: their keys, and hashes of plaintext. */
  readonly stores: readonly string[];
  /** Where secrets were found. */
  readonly traces: readonly string[];
}

export const NOTHING: Findings = { opened: [], shares: [], stores: [], traces: [] };

/**
 * Robs the profile of `victim` after its browser has ended, and the files preserved by `holdFiles`; the thief
 * may have keys of file links from elsewhere.
 */
export function rob(victim: ProfileDevice, linkKeys: readonly Buffer[] = []): Haul {
  return robFolders([victim.folder, victim.heldFolder], linkKeys);
}

export function findingsIn(haul: Haul, secrets: Secrets): Findings {
  return {
    opened: haul.files
      .filter(
        ({ segmentsOpened, hasLinkKey, hasSharedKey }) => segmentsOpened > 0 || (hasLinkKey && hasSharedKey),
      )
      .map(summaryOf),
    shares: haul.files.filter(({ shares, k }) => shares.length >= k).map(summaryOf),
    stores: [
      ...haul.loot.journals.map(({ storeId, name = '', where }) => `${storeId} “${name}”: ${where}`),
      ...haul.loot.segments.flatMap(({ segment, plainHash, where }) =>
        plainHash === undefined ? [] : [`the hash of segment ${segment}: ${where}`],
      ),
    ],
    traces: traces(haul.layers, needlesOf(secrets)).map(lineOf),
  };
}

/** The hash of the file with this name as the thief opened it; undefined if incomplete. */
export function plainHashOf({ files }: Haul, name: string): string | undefined {
  const plain = files.find((file) => file.name === name)?.plain;
  return plain && sha256(plain).toString('hex');
}

function needlesOf({ stores, names = [], contents = [], invite }: Secrets): Needle[] {
  const keys = (stores?.keys ?? []).flatMap(({ kc, kq, dataKey }) => [
    ...keyNeedles('Kc', kc),
    ...keyNeedles('Kq', kq),
    ...keyNeedles('a data key', dataKey),
  ]);
  return [
    ...keys,
    ...(stores?.shares ?? []).flatMap((share) => keyNeedles('a share', share)),
    ...names.flatMap((name) => nameNeedles(`the name ${name}`, name)),
    ...contents.flatMap(contentNeedles),
    ...(invite === undefined ? [] : keyNeedles('the secret of the invite', secretOf(invite))),
  ];
}

function contentNeedles({ seed, length }: Content): Needle[] {
  const plain = seededBytes(seed, length);
  const needles = plainNeedles('plaintext', plain);
  for (let start = 0; start < length; start += SEGMENT_BYTES)
    needles.push(
      ...keyNeedles('the hash of a segment', sha256(plain.subarray(start, start + SEGMENT_BYTES))),
    );
  return needles;
}

/** What an invite must not give away: its private key or, in one of before, the pool secret. */
function secretOf(invite: string): Buffer {
  const link = readJoinLink(invite);
  return Buffer.from(link.kind === 'ticket' ? link.invite.seed : link.invite.secret);
}

function summaryOf(file: RobbedFile): string {
  const { id, name, isPrivate, size, segmentsOpened, segmentCount, shares, k } = file;
  const what = `${name ?? id} (${size} bytes${isPrivate ? ', private' : ''})`;
  return `${what}: ${segmentsOpened} of ${segmentCount} segments opened, shares ${shares.join(' ')} with k = ${k}`;
}

function lineOf({ label, count, layer, offset }: Trace): string {
  return `${label}: ${count} times in ${layer}, first at ${offset}`;
}
