// What others did that this device noticed and refused, kept between visits: one line for each kind and
// device, with a count. Ids only: no name lies on the disk in the clear.
//
// Invariant: bounded, and what is told of a device stays. Whoever makes up devices shares one line with all
// that come after the first ones.

import { fieldsOf, oneOf, uintOf } from '../../core/encoding/decode.ts';
import { parseDeviceId, type DeviceId } from '../../core/model/ids.ts';
import { MAX_SECURITY_EVENTS_OF_KIND } from '../../core/model/limits.ts';
import type { WallMs } from '../../core/model/time.ts';
import { SECURITY_EVENT_KINDS, type SecurityEventKind } from '../record-api.ts';
import { softRows } from '../soft-rows.ts';

export interface SecurityEvent {
  readonly kind: SecurityEventKind;
  /** Undefined where it is not known, and of all devices beyond the first ones. */
  readonly device: DeviceId | undefined;
  readonly count: number;
  /** By this device's wall clock. */
  readonly firstAtMs: WallMs;
  readonly lastAtMs: WallMs;
}

export class SecurityEvents {
  #events: readonly SecurityEvent[] = [];
  #revision = 0;

  /** Changes whenever the list does. */
  get revision(): number {
    return this.#revision;
  }

  /** In the order in which they first happened. */
  get list(): readonly SecurityEvent[] {
    return this.#events;
  }

  add(atMs: WallMs, kind: SecurityEventKind, by: DeviceId | undefined, count: number): void {
    const ofKind = this.#events.filter((event) => event.kind === kind);
    const isNamed =
      ofKind.some(({ device }) => device === by) || ofKind.length < MAX_SECURITY_EVENTS_OF_KIND - 1;
    const device = isNamed ? by : undefined;
    const before = ofKind.find((event) => event.device === device);
    const now: SecurityEvent = {
      kind,
      device,
      count: Math.min((before?.count ?? 0) + count, Number.MAX_SAFE_INTEGER),
      firstAtMs: before?.firstAtMs ?? atMs,
      lastAtMs: atMs,
    };
    this.#events =
      before === undefined
        ? [...this.#events, now]
        : this.#events.map((event) => (event === before ? now : event));
    this.#revision += 1;
  }

  /** As it lies on the disk (FORMATS.md, on disk). */
  saved(): unknown {
    return this.#events.map(({ device = null, ...event }) => ({ ...event, device }));
  }

  /** What `saved` gave. Returns how many rows do not decode and were left out. */
  restore(kept: unknown): number {
    const most = SECURITY_EVENT_KINDS.length * MAX_SECURITY_EVENTS_OF_KIND;
    const { rows, droppedCount } = softRows(kept, most, eventOf);
    this.#events = rows;
    return droppedCount;
  }
}

function eventOf(row: unknown): SecurityEvent {
  const fields = fieldsOf(row, ['kind', 'device', 'count', 'firstAtMs', 'lastAtMs']);
  return {
    kind: oneOf(fields['kind'], SECURITY_EVENT_KINDS),
    device: fields['device'] === null ? undefined : parseDeviceId(fields['device']),
    count: uintOf(fields['count'], Number.MAX_SAFE_INTEGER),
    firstAtMs: uintOf(fields['firstAtMs'], Number.MAX_SAFE_INTEGER),
    lastAtMs: uintOf(fields['lastAtMs'], Number.MAX_SAFE_INTEGER),
  };
}
