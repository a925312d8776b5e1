// What an act of the pool says, as an item of the record. Like an entry, it is checked again.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { signedBytesOfAct, type CheckedAct } from '../../core/catalogue/grants/act.ts';
import { hexOf } from '../../core/model/bytes.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { Cryptography } from '../../core/ports.ts';
import { quotedDevice } from '../quoted-device.ts';
import type { WordlessRecordItem } from '../worded-record.ts';

interface ActItemPorts {
  readonly catalogue: Catalogue;
  readonly acts: ActSet;
  readonly cryptography: Pick<Cryptography, 'verify'>;
}

export async function actItem(
  { record, terms }: CheckedAct,
  { catalogue, acts, cryptography }: ActItemPorts,
): Promise<WordlessRecordItem> {
  const { id, by, seq, at, body, publicKey, payload, signature } = record;
  const isGenuine = await cryptography.verify(publicKey, signedBytesOfAct(payload), signature);
  const about = aboutOf(body, terms?.device);
  const role = body.kind === 'grant' ? body.role : terms?.role;
  const reason = body.kind === 'shut-out' ? body.reason : '';
  const undone = undoneBy(body);
  return {
    entryId: id,
    deviceId: by,
    by: quotedDevice(catalogue, by),
    seq,
    atMs: at.ms,
    state: isGenuine ? 'verified' : 'invalid',
    kind: kindOf(body),
    counts: acts.standings.counts(id),
    ...(about === undefined ? {} : { about: quotedDevice(catalogue, about) }),
    ...(role === undefined ? {} : { role }),
    ...(reason === '' ? {} : { reason }),
    ...(undone === 0 ? {} : { undone }),
  };
}

/** What an act says, as an exported line has it: lists and texts that follow from its signed bytes. */
export function actSays({ record: { body }, terms }: CheckedAct): Record<string, unknown> {
  const about = aboutOf(body, terms?.device);
  const said = { kind: kindOf(body), ...(about === undefined ? {} : { about }) };
  switch (body.kind) {
    case 'grant':
      return { ...said, role: body.role, rank: body.rank };
    case 'shut-out':
      return { ...said, reason: body.reason, undone: body.undone };
    case 'recover':
      return { ...said, out: body.out.map(({ device, undone }) => ({ device, undone })) };
    case 'admit':
      return terms === undefined ? said : { ...said, role: terms.role, invite: terms.invite };
    case 'withdraw':
      return { ...said, invite: hexOf(body.invite) };
    case 'charter':
      return { ...said, members: body.members.map(({ device }) => device) };
    case 'epoch':
      return { ...said, number: body.number };
    case 'offer':
      return { ...said, from: body.from, charter: body.charter };
    case 'take-in':
    case 'keep':
    case 'epoch-keys':
    case 'exchange':
    case 'code':
    case 'merge':
    case 'unknown':
      return said;
  }
}

function kindOf(body: CheckedAct['record']['body']): string {
  return body.kind === 'unknown' ? String(body.fields['kind']) : body.kind;
}

/** Acts that the act says count no more: of the device that it shuts out, or of all of these. */
function undoneBy(body: CheckedAct['record']['body']): number {
  if (body.kind === 'shut-out') return body.undone.length;
  return body.kind === 'recover' ? body.out.reduce((sum, { undone }) => sum + undone.length, 0) : 0;
}

function aboutOf(body: CheckedAct['record']['body'], admitted: DeviceId | undefined): DeviceId | undefined {
  switch (body.kind) {
    case 'grant':
    case 'shut-out':
    case 'keep':
      return body.device;
    case 'recover':
      return body.admin;
    case 'admit':
      return admitted;
    case 'charter':
    case 'withdraw':
    case 'epoch':
    case 'epoch-keys':
    case 'exchange':
    case 'code':
    case 'offer':
    case 'take-in':
    case 'merge':
    case 'unknown':
      return undefined;
  }
}
