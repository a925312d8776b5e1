// What went wrong or was refused, kept for people: bounded, newest last, equal ones in a row told once.
//
// Whoever makes up devices can have any number of notices told of them, so those push no other notice out: what is told of this
// device itself, each thing that others cause, and each kind of misdeed have a bound of their own. Things that may happen
// thousands of times (a member forges records) are one notice with a count.

import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import type { Notice } from './api.ts';

/** What other devices cause, however many there are. */
export type PeerCause = 'damaged-bytes' | 'other-version' | 'unreadable';

/** Of this device itself. */
const MAX_OWN_NOTICES = 50;
/** Of each thing that others cause: more say nothing new. */
const MAX_CAUSED_NOTICES = 5;
/** Devices that have a notice of their own for one kind of misdeed; a pool with more that misbehave is under attack. */
const MAX_NAMED_DEVICES = 5;

interface Kept extends Notice {
  readonly group: 'own' | 'misdeed' | PeerCause;
  /** What the notice counts, and how often it happened; undefined for a notice that says one thing once. */
  readonly counts: { readonly what: string; readonly count: number; readonly toldCount: number } | undefined;
}

/** `count`: how often in all, since this page began. */
export interface CountTexts {
  ofDevice(count: number): string;
  /** Of all devices beyond those that have notices of their own. */
  ofOthers(deviceCount: number, count: number): string;
}

export class Notices {
  #notices: Kept[] = [];
  #nextId = 1;
  /** By kind of misdeed, the devices that have a notice of their own, and those that share one. */
  readonly #devices = new Map<string, { readonly named: Set<string>; readonly others: Set<string> }>();

  add(atMs: number, level: Notice['level'], text: string, group: 'own' | PeerCause = 'own'): void {
    const last = this.#notices.findLast((notice) => notice.group === group);
    if (last?.text === text) this.#remove(last);
    this.#notices.push({ id: this.#nextId++, atMs, level, text, group, counts: undefined });
    const ofGroup = this.#notices.filter((notice) => notice.group === group);
    const [oldest] = ofGroup;
    const max = group === 'own' ? MAX_OWN_NOTICES : MAX_CAUSED_NOTICES;
    if (oldest !== undefined && ofGroup.length > max) this.#remove(oldest);
  }

  /**
   * `device` did `what` `count` times more. The notice that counts it says so, and comes back as a new one, in case it was
   * dismissed, whenever the number has doubled.
   */
  addCount(
    atMs: number,
    level: Notice['level'],
    { what, device }: { readonly what: string; readonly device: string },
    count: number,
    texts: CountTexts,
  ): void {
    const { named, others } = this.#devices.get(what) ?? { named: new Set(), others: new Set() };
    this.#devices.set(what, { named, others });
    const isNamed = named.has(device) || named.size < MAX_NAMED_DEVICES;
    if (isNamed) named.add(device);
    else if (others.size < MAX_DEVICE_COUNT) others.add(device);
    const textOf = (total: number): string =>
      isNamed ? texts.ofDevice(total) : texts.ofOthers(others.size, total);
    this.#count(atMs, level, isNamed ? `${what} ${device}` : what, count, textOf);
  }

  list(): readonly Notice[] {
    return this.#notices.map(({ id, atMs, level, text }) => ({ id, atMs, level, text }));
  }

  clear(): void {
    this.#notices = [];
    this.#devices.clear();
  }

  #count(
    atMs: number,
    level: Notice['level'],
    what: string,
    count: number,
    textOf: (total: number) => string,
  ): void {
    const at = this.#notices.findIndex(({ counts }) => counts?.what === what);
    const before = this.#notices[at];
    const total = count + (before?.counts?.count ?? 0);
    const toldCount = before?.counts?.toldCount ?? 0;
    const text = textOf(total);
    if (before !== undefined && total < 2 * toldCount) {
      this.#notices[at] = { ...before, atMs, text, counts: { what, count: total, toldCount } };
      return;
    }
    if (before !== undefined) this.#remove(before);
    const counts = { what, count: total, toldCount: total };
    this.#notices.push({ id: this.#nextId++, atMs, level, text, group: 'misdeed', counts });
  }

  #remove(gone: Kept): void {
    this.#notices = this.#notices.filter((notice) => notice !== gone);
  }
}
