// To which exchange key things for a device are sealed, as a pure function of a pool's acts: the one that it
// published last in its chain of acts; else the one that it was admitted or founded the pool with.

import type { ExchangeKey } from '../../model/exchange-key.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { PlacedAct } from './act-graph.ts';

/** Devices without one are not in it. `acts`: all of one graph. */
export function exchangeKeysOf(acts: readonly PlacedAct[]): ReadonlyMap<DeviceId, ExchangeKey> {
  const keys = new Map<DeviceId, ExchangeKey>();
  const published = new Map<DeviceId, PlacedAct>();
  for (const act of acts) {
    const { body, by, terms } = act;
    if (body.kind === 'charter' && body.exchange !== undefined && !published.has(by))
      keys.set(by, body.exchange);
    if (body.kind === 'admit' && terms !== undefined && !published.has(terms.device))
      keys.set(terms.device, body.exchange);
    if (body.kind !== 'exchange' || !isLater(act, published.get(by))) continue;
    published.set(by, act);
    keys.set(by, body.key);
  }
  return keys;
}

/** Of a device that forked its acts, every other device takes the same. */
function isLater(act: PlacedAct, than: PlacedAct | undefined): boolean {
  if (than === undefined || act.seq !== than.seq) return act.seq > (than?.seq ?? 0);
  return act.id < than.id;
}
