// What `probe` and `alive` messages say of members, as CBOR (FORMATS.md, messages).

import { bytesOf, linkOf, oneOf, tupleOf, uintOf } from '../encoding/decode.ts';
import { decodeAlive, type AliveRecord, type Belief } from '../membership/alive-record.ts';
import { MEMBER_STATES } from '../membership/member-state.ts';
import { cidOf, parseDeviceId } from '../model/ids.ts';
import { MAX_ALIVE_BYTES } from '../model/limits.ts';

export function beliefToCbor({ device, incarnation, beat, state }: Belief): unknown {
  return [cidOf(device), incarnation, beat, state];
}

export function beliefOf(value: unknown): Belief {
  const [device, incarnation, beat, state] = tupleOf(value, 4);
  return {
    device: parseDeviceId(linkOf(device)),
    incarnation: uintOf(incarnation, Number.MAX_SAFE_INTEGER),
    beat: uintOf(beat, Number.MAX_SAFE_INTEGER),
    state: oneOf(state, MEMBER_STATES),
  };
}

export function aliveOf(value: unknown): AliveRecord {
  return decodeAlive(bytesOf(value, 1, MAX_ALIVE_BYTES));
}
