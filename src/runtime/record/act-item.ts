// What an act of the pool says, as an item of the record. Like an entry, it is checked again.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { signedBytesOfAct, type CheckedAct } from '../../core/catalogue/grants/act.ts';
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
  return {
    entryId: id,
    deviceId: by,
    by: quotedDevice(catalogue, by),
    seq,
    atMs: at.ms,
    state: isGenuine ? 'verified' : 'invalid',
    kind: body.kind === 'unknown' ? String(body.fields['kind']) : body.kind,
    counts: acts.standings.counts(id),
    ...(about === undefined ? {} : { about: quotedDevice(catalogue, about) }),
    ...(role === undefined ? {} : { role }),
  };
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
