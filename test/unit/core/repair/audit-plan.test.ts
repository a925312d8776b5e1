// Which claims are audited, and when.

import { describe, expect, it } from 'vitest';
import { deviceIdOf, type DeviceId, type FileId } from '../../../../src/core/model/ids.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import {
  AuditPlan,
  type Audit,
  type AuditOutcome,
  type Claim,
} from '../../../../src/core/repair/audit-plan.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { randomFrom } from '../../../sim/seeded-random.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';

const HOUR_MS = 3_600_000;
const [BEN, CYD] = [idAt(1), idAt(2)];

function idAt(at: number): DeviceId {
  return deviceIdOf(seededBytes(32, at));
}

class Pool {
  nowMs = 1_000;
  readonly devices = new Set<DeviceId>();
  readonly counted = new Map<DeviceId, Map<FileId, ReadonlySet<number>>>();
  readonly doubted = new Map<DeviceId, Map<FileId, ReadonlySet<number>>>();
  readonly own = new Set<FileId>();
  readonly contested = new Map<DeviceId, Place>();
  readonly plan: AuditPlan;
  readonly #random = randomFrom(7);

  constructor(deviceCount: number) {
    for (let at = 1; at <= deviceCount; at++) this.claims(idAt(at), 1, [at]);
    this.plan = new AuditPlan(this.nowMs, {
      devices: () => this.devices,
      countedOf: (device) => claimsIn(this.counted.get(device)),
      isDoubted: (device) => (this.doubted.get(device)?.size ?? 0) > 0,
      doubtedOf: (device) => claimsIn(this.doubted.get(device)),
      takeContested: () => {
        const taken = new Map(this.contested);
        this.contested.clear();
        return taken;
      },
      holdsOf: (file) => this.own.has(file),
      draw: () => this.#random.below(2 ** 32),
    });
  }

  claims(device: DeviceId, file: number, fragments: readonly number[]): void {
    this.devices.add(device);
    const files = this.counted.get(device) ?? new Map<FileId, ReadonlySet<number>>();
    this.counted.set(device, files.set(fileIdAt(file), new Set(fragments)));
  }

  /** Nothing counts of the device from now on; or everything. */
  doubt(device: DeviceId, isDoubted = true): void {
    const [from, to] = isDoubted ? [this.counted, this.doubted] : [this.doubted, this.counted];
    to.set(device, from.get(device) ?? new Map());
    from.delete(device);
  }

  /** Lets time pass; each audit that is due ends as `outcomeOf` says, at once. */
  pass(ms: number, outcomeOf: (audit: Audit) => AuditOutcome): (Audit & { readonly atMs: number })[] {
    const audits: (Audit & { readonly atMs: number })[] = [];
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      const audit = this.plan.next(this.nowMs);
      if (audit === undefined) {
        this.nowMs += 1_000;
        continue;
      }
      audits.push({ ...audit, atMs: this.nowMs });
      this.nowMs += this.plan.ended(this.nowMs, audit, outcomeOf(audit));
    }
    return audits;
  }
}

function* claimsIn(files: ReadonlyMap<FileId, ReadonlySet<number>> | undefined): Iterable<Claim> {
  for (const [file, fragments] of files ?? []) yield [file, packFragments(fragments)];
}

describe('audits', () => {
  it('come to each device of a small pool at once, and not again for hours', () => {
    const pool = new Pool(5);
    const audits = pool.pass(5 * HOUR_MS, () => 'given');
    expect(audits.map(({ device }) => device).toSorted()).toEqual([...pool.devices].toSorted());
    expect(audits.at(-1)?.atMs).toBeLessThan(60_000);
  });

  it('cost a large pool one an hour, after the first few', () => {
    const pool = new Pool(60);
    const audits = pool.pass(20 * HOUR_MS, () => 'given');
    expect(audits.length).toBeGreaterThan(20);
    expect(audits.length).toBeLessThanOrEqual(8 + 20);
    expect(new Set(audits.map(({ device }) => device)).size).toBe(audits.length);
  });

  it('ask for files of which this device holds something before others', () => {
    const pool = new Pool(0);
    for (let file = 1; file <= 9; file++) pool.claims(BEN, file, [3, 4]);
    pool.own.add(fileIdAt(5));
    const audits = pool.pass(48 * HOUR_MS, () => 'given');
    expect(audits.length).toBeGreaterThan(5);
    for (const { file, fragment } of audits) {
      expect(file).toBe(fileIdAt(5));
      expect([3, 4]).toContain(fragment);
    }
    expect(new Set(audits.map(({ fragment }) => fragment)).size).toBe(2);
  });

  it.each(['absent', 'wrong'] as const)(
    'ask a device for more at once when what it gave was %s',
    (outcome) => {
      const pool = new Pool(3);
      for (let file = 2; file <= 40; file++) pool.claims(BEN, file, [1]);
      const audits = pool.pass(3 * 60_000, ({ device }) => (device === BEN ? outcome : 'given'));
      const [firstAt = 0, ...others] = audits.filter(({ device }) => device === BEN).map(({ atMs }) => atMs);
      expect(others.length).toBeGreaterThanOrEqual(8);
      expect(others[7]).toBeLessThanOrEqual(firstAt + 60_000);
      expect(audits.filter(({ device }) => device !== BEN)).toHaveLength(2);
      // In a row only: then it is left alone for longer and longer.
      expect(pool.pass(HOUR_MS, () => outcome).length).toBeLessThan(20);
    },
  );

  it('ask for the same again when there was no answer', () => {
    const pool = new Pool(0);
    for (let file = 1; file <= 20; file++) pool.claims(BEN, file, [1, 2]);
    const [one, two, three] = pool.pass(3 * 60_000, () => 'none');
    expect(two).toMatchObject({ file: one?.file, fragment: one?.fragment });
    expect(three).toMatchObject({ file: one?.file, fragment: one?.fragment });
    expect((three?.atMs ?? 0) - (one?.atMs ?? 0)).toBe(60_000);
  });

  it('come back to what does not count, until it counts', () => {
    const pool = new Pool(0);
    pool.claims(BEN, 1, [1]);
    pool.claims(CYD, 1, [2]);
    pool.pass(30_000, () => 'given');
    pool.doubt(BEN);
    const failed = pool.pass(4 * HOUR_MS, () => 'wrong').map(({ atMs }) => atMs);
    expect(failed.length).toBeGreaterThan(4);
    expect(failed.length).toBeLessThan(30);
    const gaps = failed.slice(1).map((atMs, at) => atMs - (failed[at] ?? 0));
    expect(gaps.at(-1)).toBe(10 * 60_000);
    const given = pool.pass(11 * 60_000, () => {
      pool.doubt(BEN, false);
      return 'given';
    });
    expect(given.filter(({ device }) => device === BEN)).toHaveLength(1);
  });

  it('look into what somebody else offers although it is claimed, now and then', () => {
    const pool = new Pool(4);
    pool.claims(BEN, 2, [7]);
    pool.pass(60_000, () => 'given');
    const contest = (): Audit[] => {
      pool.contested.set(BEN, { file: fileIdAt(2), fragment: 7 });
      return pool.pass(30_000, () => 'given');
    };
    expect(contest()).toMatchObject([{ device: BEN, file: fileIdAt(2), fragment: 7 }]);
    expect(contest()).toEqual([]);
    pool.pass(10 * 60_000, () => 'given');
    expect(contest()).toHaveLength(1);
    // Nobody claims it.
    pool.contested.set(CYD, { file: fileIdAt(2), fragment: 7 });
    expect(pool.pass(30_000, () => 'given')).toEqual([]);
  });

  it('ask nobody who cannot be asked, nor for what is not claimed any more', () => {
    const pool = new Pool(1);
    const [audit] = pool.pass(20_000, () => 'none');
    expect(audit?.device).toBe(BEN);
    pool.counted.delete(BEN);
    expect(pool.pass(HOUR_MS, () => 'none')).toEqual([]);
    pool.claims(BEN, 1, [1]);
    pool.devices.delete(BEN);
    expect(pool.pass(24 * HOUR_MS, () => 'none')).toEqual([]);
  });
});
