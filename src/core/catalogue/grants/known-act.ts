// An act as a graph takes it, with the record that it is kept and passed on as.

import { unitsOf, type CheckedAct } from './act.ts';
import type { Act } from './act-body.ts';

export interface KnownAct extends Act {
  readonly checked: CheckedAct;
}

export function knownAct(checked: CheckedAct): KnownAct {
  const { record, terms, takesIn } = checked;
  const { id, by, seq, prev, body } = record;
  return { id, by, seq, prev, body, terms, takesIn, units: unitsOf(record), checked };
}
