// The bodies of acts as DAG-CBOR (FORMATS.md, acts).

import {
  bad,
  bytesOf,
  encodeCbor,
  fieldsOf,
  kindOf,
  linkOf,
  listOf,
  mapOf,
  oneOf,
  textOf,
  tupleOf,
  uintOf,
} from '../../encoding/decode.ts';
import { PUBLIC_KEY_BYTES } from '../../encoding/signed-record.ts';
import { cidOf, parseDeviceId, parseEntryId, type EntryId } from '../../model/ids.ts';
import {
  EXCHANGE_START_BYTES,
  MAX_KIND_BYTES,
  MAX_LOG_LENGTH,
  MAX_NAMED_BY_ACT,
  MAX_OFFER_BYTES,
  MAX_OFFERED_EPOCHS,
  MAX_REASON_BYTES,
  MAX_RECOVERED_FROM,
  MAX_SEEN_ACTS,
  MAX_STRETCHES,
  MAX_UNDONE_BY_RECOVERY,
} from '../../model/limits.ts';
import { parseExchangeKey } from '../../model/exchange-key.ts';
import { MAX_TICKET_BYTES } from '../../model/ticket.ts';
import { MAX_EPOCH } from '../../model/pool-keys.ts';
import { NO_RANK, ROLES } from '../../model/role.ts';
import type { ActBody, LogPoint, OfferedEpoch, OfferedMember, RecoveredFrom, SealedKey } from './act-body.ts';

const OFFERED_ROLES = ['member', 'reader'] as const;
const STRETCH_RIGHTS = ['admin', 'member', 'none'] as const;
const SEALED_KEY_BYTES = 48;
const EPOCH_CHECK_BYTES = 16;
const SIGNATURE_BYTES = 64;

export function encodeActBody(body: ActBody): unknown {
  if (body.kind === 'unknown') return body.fields;
  return { ...encodeDeed(body), kind: body.kind, seen: body.seen.map(cidOf) };
}

function encodeDeed(body: Exclude<ActBody, { kind: 'unknown' }>): object {
  switch (body.kind) {
    case 'charter': {
      const { members, recovery, exchange } = body;
      const named = members.map(({ device, point }) => [cidOf(device), pointToCbor(point)]);
      return { members: named, recovery: recovery ?? null, exchange: exchange ?? null };
    }
    case 'grant': {
      const { as, device, role, rank, after } = body;
      return { as, device: cidOf(device), role, rank, after: pointToCbor(after) };
    }
    case 'shut-out': {
      const { as, device, last, undone, reason } = body;
      return { as, device: cidOf(device), last: pointToCbor(last), undone: undone.map(cidOf), reason };
    }
    case 'keep':
      return { as: body.as, device: cidOf(body.device), last: pointToCbor(body.last) };
    case 'epoch': {
      const { as, number, parents, check, sender, keys } = body;
      return { as, number, parents: parents.map(cidOf), check, sender, keys: keys.map(sealedKeyToCbor) };
    }
    case 'epoch-keys': {
      const { epoch, sender, keys } = body;
      return { epoch: cidOf(epoch), sender, keys: keys.map(sealedKeyToCbor) };
    }
    case 'offer': {
      const { as, from, charter, members, epochs } = body;
      return {
        as,
        from: cidOf(from),
        charter: cidOf(charter),
        members: members.map(({ device, role, stretches }) => [
          cidOf(device),
          role ?? null,
          stretches.map(({ right, point }) => [right, pointToCbor(point)]),
        ]),
        epochs: epochs.map(({ epoch, number, check }) => [cidOf(epoch), number, check]),
      };
    }
    case 'recover':
      return { ...recoverOrder(body), signature: body.signature };
    case 'admit':
    case 'withdraw':
    case 'code':
    case 'exchange':
    case 'take-in':
    case 'merge':
      return body;
  }
}

type RecoverBody = ActBody & { readonly kind: 'recover' };

/** All of the body but its signature: what the recovery code signs of it. */
export function encodeRecoverOrder(body: Omit<RecoverBody, 'signature'>): Uint8Array<ArrayBuffer> {
  return encodeCbor({ ...recoverOrder(body), kind: body.kind, seen: body.seen.map(cidOf) });
}

function recoverOrder({ admin, after, out, code, recovery }: Omit<RecoverBody, 'signature'>): object {
  return { admin: cidOf(admin), after: pointToCbor(after), out: out.map(recoveredToCbor), code, recovery };
}

/** @throws PalmError 'bad-message'. */
export function decodeActBody(value: unknown): ActBody {
  const kind = kindOf(value);
  if (!Object.hasOwn(DECODERS, kind)) {
    textOf(kind, MAX_KIND_BYTES);
    const fields = mapOf(value);
    return { kind: 'unknown', fields, seen: seenOf(fields['seen'], kind) };
  }
  return DECODERS[kind as KnownKind](value); // an own key of DECODERS, checked above
}

type KnownKind = Exclude<ActBody['kind'], 'unknown'>;

const DECODERS: { readonly [Kind in KnownKind]: (value: unknown) => ActBody & { kind: Kind } } = {
  charter: (value) => {
    const { seen, members, recovery, exchange } = fieldsOf(value, [
      'kind',
      'seen',
      'members',
      'recovery',
      'exchange',
    ]);
    return {
      kind: 'charter',
      seen: seenOf(seen, 'charter'),
      members: listOf(members, MAX_NAMED_BY_ACT, (item) => {
        const [device, point] = tupleOf(item, 2);
        return { device: parseDeviceId(linkOf(device)), point: pointOf(point) };
      }),
      recovery: recovery === null ? undefined : exactly(recovery, PUBLIC_KEY_BYTES),
      exchange: exchange === null ? undefined : parseExchangeKey(exchange),
    };
  },
  grant: (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'as', 'device', 'role', 'rank', 'after']);
    const role = oneOf(fields['role'], ROLES);
    const rank = uintOf(fields['rank'], NO_RANK);
    if (rank === 0 || (role === 'admin') !== rank < NO_RANK) throw bad('a grant of an impossible rank');
    return {
      kind: 'grant',
      seen: seenOf(fields['seen'], 'grant'),
      as: rankOf(fields['as']),
      device: parseDeviceId(linkOf(fields['device'])),
      role,
      rank,
      after: pointOf(fields['after']),
    };
  },
  'shut-out': (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'as', 'device', 'last', 'undone', 'reason']);
    return {
      kind: 'shut-out',
      seen: seenOf(fields['seen'], 'shut-out'),
      as: rankOf(fields['as']),
      device: parseDeviceId(linkOf(fields['device'])),
      last: pointOf(fields['last']),
      undone: linksOf(fields['undone'], MAX_NAMED_BY_ACT),
      reason: textOf(fields['reason'], MAX_REASON_BYTES),
    };
  },
  keep: (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'as', 'device', 'last']);
    return {
      kind: 'keep',
      seen: seenOf(fields['seen'], 'keep'),
      as: rankOf(fields['as']),
      device: parseDeviceId(linkOf(fields['device'])),
      last: pointOf(fields['last']),
    };
  },
  admit: (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'ticket', 'key', 'exchange', 'proof', 'consent']);
    return {
      kind: 'admit',
      seen: seenOf(fields['seen'], 'admit'),
      ticket: bytesOf(fields['ticket'], 1, MAX_TICKET_BYTES),
      key: exactly(fields['key'], PUBLIC_KEY_BYTES),
      exchange: parseExchangeKey(fields['exchange']),
      proof: exactly(fields['proof'], SIGNATURE_BYTES),
      consent: exactly(fields['consent'], SIGNATURE_BYTES),
    };
  },
  withdraw: (value) => {
    const { seen, as, invite } = fieldsOf(value, ['kind', 'seen', 'as', 'invite']);
    const key = exactly(invite, PUBLIC_KEY_BYTES);
    return { kind: 'withdraw', seen: seenOf(seen, 'withdraw'), as: rankOf(as), invite: key };
  },
  epoch: (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'as', 'number', 'parents', 'check', 'sender', 'keys']);
    const number = uintOf(fields['number'], MAX_EPOCH - 1);
    if (number === 0) throw bad('an epoch 0 in an act');
    return {
      kind: 'epoch',
      seen: seenOf(fields['seen'], 'epoch'),
      as: rankOf(fields['as']),
      number,
      parents: linksOf(fields['parents'], MAX_SEEN_ACTS),
      check: exactly(fields['check'], EPOCH_CHECK_BYTES),
      sender: parseExchangeKey(fields['sender']),
      keys: listOf(fields['keys'], MAX_NAMED_BY_ACT, sealedKeyOf),
    };
  },
  'epoch-keys': (value) => {
    const { seen, epoch, sender, keys } = fieldsOf(value, ['kind', 'seen', 'epoch', 'sender', 'keys']);
    return {
      kind: 'epoch-keys',
      seen: seenOf(seen, 'epoch-keys'),
      epoch: parseEntryId(linkOf(epoch)),
      sender: parseExchangeKey(sender),
      keys: listOf(keys, MAX_NAMED_BY_ACT, sealedKeyOf),
    };
  },
  exchange: (value) => {
    const { seen, key } = fieldsOf(value, ['kind', 'seen', 'key']);
    return { kind: 'exchange', seen: seenOf(seen, 'exchange'), key: parseExchangeKey(key) };
  },
  code: (value) => {
    const { seen, as, recovery } = fieldsOf(value, ['kind', 'seen', 'as', 'recovery']);
    const key = exactly(recovery, PUBLIC_KEY_BYTES);
    return { kind: 'code', seen: seenOf(seen, 'code'), as: rankOf(as), recovery: key };
  },
  offer: (value) => {
    const fields = fieldsOf(value, ['kind', 'seen', 'as', 'from', 'charter', 'members', 'epochs']);
    return {
      kind: 'offer',
      seen: seenOf(fields['seen'], 'offer'),
      as: rankOf(fields['as']),
      from: parseEntryId(linkOf(fields['from'])),
      charter: parseEntryId(linkOf(fields['charter'])),
      members: listOf(fields['members'], MAX_NAMED_BY_ACT, offeredMemberOf),
      epochs: listOf(fields['epochs'], MAX_OFFERED_EPOCHS, offeredEpochOf),
    };
  },
  'take-in': (value) => {
    const { seen, as, offer } = fieldsOf(value, ['kind', 'seen', 'as', 'offer']);
    const record = bytesOf(offer, 1, MAX_OFFER_BYTES);
    return { kind: 'take-in', seen: seenOf(seen, 'take-in'), as: rankOf(as), offer: record };
  },
  recover: (value) => {
    const fields = fieldsOf(value, [
      'kind',
      'seen',
      'admin',
      'after',
      'out',
      'code',
      'recovery',
      'signature',
    ]);
    return {
      kind: 'recover',
      seen: seenOf(fields['seen'], 'recover'),
      admin: parseDeviceId(linkOf(fields['admin'])),
      after: pointOf(fields['after']),
      out: listOf(fields['out'], MAX_RECOVERED_FROM, recoveredOf),
      code: exactly(fields['code'], PUBLIC_KEY_BYTES),
      recovery: exactly(fields['recovery'], PUBLIC_KEY_BYTES),
      signature: exactly(fields['signature'], SIGNATURE_BYTES),
    };
  },
  merge: (value) => ({ kind: 'merge', seen: seenOf(fieldsOf(value, ['kind', 'seen'])['seen'], 'merge') }),
};

/** Sorted, each once. Only a charter has seen nothing. */
function seenOf(value: unknown, kind: string): EntryId[] {
  const seen = linksOf(value, MAX_SEEN_ACTS);
  if ((seen.length === 0) !== (kind === 'charter')) throw bad('an act that has seen too little or too much');
  return seen;
}

function linksOf(value: unknown, max: number): EntryId[] {
  const links = listOf(value, max, (link) => parseEntryId(linkOf(link)));
  if (links.some((link, index) => index > 0 && link <= (links[index - 1] ?? ''))) {
    throw bad('links that are not sorted');
  }
  return links;
}

/** Of an admin. */
function rankOf(value: unknown): number {
  return uintOf(value, NO_RANK - 1);
}

function exactly(value: unknown, byteCount: number): Uint8Array {
  return bytesOf(value, byteCount, byteCount);
}

function pointToCbor(point: LogPoint | undefined): unknown {
  return point === undefined ? null : [point.seq, cidOf(point.entry)];
}

function pointOf(value: unknown): LogPoint | undefined {
  if (value === null) return undefined;
  const [number, entry] = tupleOf(value, 2);
  const seq = uintOf(number, MAX_LOG_LENGTH);
  if (seq === 0) throw bad('a point before the first entry');
  return { seq, entry: parseEntryId(linkOf(entry)) };
}

function offeredMemberOf(value: unknown): OfferedMember {
  const [device, role, stretches] = tupleOf(value, 3);
  return {
    device: parseDeviceId(linkOf(device)),
    role: role === null ? undefined : oneOf(role, OFFERED_ROLES),
    stretches: listOf(stretches, MAX_STRETCHES, (item) => {
      const [right, point] = tupleOf(item, 2);
      const end = pointOf(point);
      if (end === undefined) throw bad('a stretch of a log without an end');
      return { right: oneOf(right, STRETCH_RIGHTS), point: end };
    }),
  };
}

function offeredEpochOf(value: unknown): OfferedEpoch {
  const [epoch, number, check] = tupleOf(value, 3);
  return {
    epoch: parseEntryId(linkOf(epoch)),
    number: uintOf(number, MAX_EPOCH - 1),
    check: exactly(check, EPOCH_CHECK_BYTES),
  };
}

function sealedKeyToCbor({ device, exchange, sealed }: SealedKey): unknown {
  return [cidOf(device), exchange, sealed];
}

function sealedKeyOf(value: unknown): SealedKey {
  const [device, exchange, sealed] = tupleOf(value, 3);
  return {
    device: parseDeviceId(linkOf(device)),
    exchange: exactly(exchange, EXCHANGE_START_BYTES),
    sealed: exactly(sealed, SEALED_KEY_BYTES),
  };
}

function recoveredToCbor({ device, last, undone }: RecoveredFrom): unknown {
  return [cidOf(device), pointToCbor(last), undone.map(cidOf)];
}

function recoveredOf(value: unknown): RecoveredFrom {
  const [device, last, undone] = tupleOf(value, 3);
  return {
    device: parseDeviceId(linkOf(device)),
    last: pointOf(last),
    undone: linksOf(undone, MAX_UNDONE_BY_RECOVERY),
  };
}
