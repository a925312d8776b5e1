// What a `probe` message says of members, as CBOR (FORMATS.md, messages).

import { linkOf, oneOf, tupleOf, uintOf } from '../encoding/decode.ts';
import type { Belief } from '../membership/alive-record.ts';
import { MEMBER_STATES } from '../membership/member-state.ts';
import { cidOf, parseDeviceId } from '../model/ids.ts';

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
