// The notices kept for people: bounded, newest last, equal ones in a row only once.
//
// An attacker can invent devices, and so cause any number of notices about them. Those must not push out
// others. So notices about this device, each thing that others cause, and each kind of misdeed have separate
// bounds. Things that may happen thousands of times (a member forges records) are one notice with a count.

import type { DeviceId } from '../core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import type { Misdeed } from '../core/peer/misdeeds.ts';
import type { NoticeStatus } from './api.ts';
import type { Notice, QuotedDevice } from './notice.ts';
import type { ListedNotice } from './worded-palm.ts';

/** Notices that other devices cause, however many devices there are. */
type PeerCause = 'damaged-bytes' | 'other-version' | 'unreadable';

/** About this device itself. */
const MAX_OWN_NOTICES = 50;
/** For each thing that others cause; more would say nothing new. */
const MAX_CAUSED_NOTICES = 5;
/** Devices with their own notice for one kind of misdeed. If more misbehave, the pool is under attack. */
const MAX_NAMED_DEVICES = 5;

type Level = NoticeStatus['level'];

interface Kept extends ListedNotice {
  readonly group: 'own' | 'misdeed' | PeerCause;
  /** What the notice counts, and the count; undefined for a notice that is not counted. */
  readonly counts: { readonly what: string; readonly count: number; readonly toldCount: number } | undefined;
}

export class Notices {
  #notices: Kept[] = [];
  #nextId = 1;
  /** By kind of misdeed: the devices with a notice of their own, and those that share one. */
  readonly #devices = new Map<Misdeed, { readonly named: Set<DeviceId>; readonly others: Set<DeviceId> }>();

  add(atMs: number, level: Level, notice: Notice): void {
    const group = groupOf(notice);
    const last = this.#notices.findLast((kept) => kept.group === group);
    if (last !== undefined && isSame(last.notice, notice)) this.#remove(last);
    this.#notices.push({ id: this.#nextId++, atMs, level, notice, group, counts: undefined });
    const ofGroup = this.#notices.filter((kept) => kept.group === group);
    const [oldest] = ofGroup;
    const max = group === 'own' ? MAX_OWN_NOTICES : MAX_CAUSED_NOTICES;
    if (oldest !== undefined && ofGroup.length > max) this.#remove(oldest);
  }

  /**
   * `device` did `what` `count` more times. Its notice is updated. Whenever the total has doubled, it returns
   * as a new notice, in case the old one was dismissed.
   */
  addMisdeed(atMs: number, level: Level, what: Misdeed, device: QuotedDevice, count: number): void {
    const { named, others } = this.#devices.get(what) ?? { named: new Set(), others: new Set() };
    this.#devices.set(what, { named, others });
    const isNamed = named.has(device.id) || named.size < MAX_NAMED_DEVICES;
    if (isNamed) named.add(device.id);
    else if (others.size < MAX_DEVICE_COUNT) others.add(device.id);
    this.#count(atMs, level, isNamed ? `${what} ${device.id}` : what, count, (total) =>
      isNamed
        ? { kind: 'misdeed', what, device, count: total }
        : { kind: 'misdeed-of-others', what, deviceCount: others.size, count: total },
    );
  }

  list(): readonly ListedNotice[] {
    return this.#notices.map(({ id, atMs, level, notice }) => ({ id, atMs, level, notice }));
  }

  clear(): void {
    this.#notices = [];
    this.#devices.clear();
  }

  #count(atMs: number, level: Level, what: string, count: number, noticeOf: (total: number) => Notice): void {
    const at = this.#notices.findIndex(({ counts }) => counts?.what === what);
    const before = this.#notices[at];
    const total = count + (before?.counts?.count ?? 0);
    const toldCount = before?.counts?.toldCount ?? 0;
    const notice = noticeOf(total);
    if (before !== undefined && total < 2 * toldCount) {
      this.#notices[at] = { ...before, atMs, notice, counts: { what, count: total, toldCount } };
      return;
    }
    if (before !== undefined) this.#remove(before);
    const counts = { what, count: total, toldCount: total };
    this.#notices.push({ id: this.#nextId++, atMs, level, notice, group: 'misdeed', counts });
  }

  #remove(gone: Kept): void {
    this.#notices = this.#notices.filter((notice) => notice !== gone);
  }
}

function groupOf(notice: Notice): Kept['group'] {
  switch (notice.kind) {
    case 'damaged-offer':
    case 'damaged-block':
      return 'damaged-bytes';
    case 'other-version':
      return 'other-version';
    case 'rejection':
    case 'unreadable-message':
      return 'unreadable';
    case 'misdeed':
    case 'misdeed-of-others':
      return 'misdeed';
    case 'failure':
    case 'bug':
    case 'nobody-answers':
    case 'unfinished-damaged':
    case 'rows-left-out':
    case 'catalogue-damaged':
    case 'shut-out':
    case 'taken-in':
    case 'another-file':
    case 'damaged-here':
    case 'device-full':
    case 'key-not-locked':
      return 'own';
  }
}

/** Notices are plain data, and each kind is made in one place. */
function isSame(a: Notice, b: Notice): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
