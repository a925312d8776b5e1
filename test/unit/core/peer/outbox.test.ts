// The outbox on virtual time, against a pool that the test plays: which device is offered what, when an offer
// moves on, and that this device never lets go of its copies a moment too early.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../../src/core/catalogue/manifest.ts';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import { fragmentCap } from '../../../../src/core/model/limits.ts';
import { Challenges } from '../../../../src/core/peer/challenges.ts';
import { Outbox, type OutboxEffect } from '../../../../src/core/peer/outbox.ts';
import { marginOf } from '../../../../src/core/placement/health.ts';
import type { Refusal } from '../../../../src/core/wire/messages.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { answerChallenges } from '../../../fixtures/challenge-answers.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

const FILE = fileIdAt(0);
const SELF = deviceAt(0).deviceId;
const [B, C, D] = [1, 2, 3].map((index) => deviceAt(index).deviceId);
const OFFER_DEADLINE_MS = 30_000;
const RETRY_SOON_MS = 2_000;
const RETRY_LATER_MS = 60_000;
const MISSING_PATIENCE_MS = 60_000;
const GATHER_MS = 500;

/** A pool as the outbox sees it, and the fate of its offers. */
class Pool {
  readonly outbox: Outbox;
  readonly challenges: Challenges;
  /** They claim what they are offered, and cannot prove it. */
  readonly liars = new Set<DeviceId>();
  readonly manifest: Manifest;
  readonly own: Set<number>;
  readonly linked = new Set<DeviceId>();
  readonly held = new Map<DeviceId, Set<number>>();
  readonly free = new Map<DeviceId, number>();
  readonly offers: { readonly to: DeviceId; readonly fragment: number; readonly atMs: number }[] = [];
  readonly releases: { readonly from: DeviceId; readonly fragment: number }[] = [];
  kept: ReadonlySet<number> | undefined;
  nowMs = 0;

  constructor(changes: Partial<Manifest> = {}) {
    this.manifest = manifestOf(SELF, changes);
    this.own = new Set(indicesOf(this.manifest.n));
    this.challenges = new Challenges({
      canProve: (device) => this.linked.has(device),
      proofBlocksOf: () => 8,
    });
    const view = {
      self: SELF,
      manifestOf: (file: FileId) => (file === FILE ? this.manifest : undefined),
      ownOf: () => this.own,
      holdersOf: () => new Map(this.held),
      candidates: () => [
        { device: SELF, freeBytes: Infinity },
        ...[...this.linked].map((device) => ({ device, freeBytes: this.free.get(device) ?? 2 ** 40 })),
      ],
      isReachable: (device: DeviceId) => device === SELF || this.linked.has(device),
      anchorsOf: () => new Set<DeviceId>(),
      isRebuilding: () => false,
    };
    this.outbox = new Outbox(view, this.challenges);
    this.outbox.add(FILE);
    this.step();
  }

  get isDone(): boolean {
    return this.kept !== undefined;
  }

  step(): void {
    const isLiar = (device: DeviceId): boolean => this.liars.has(device);
    do for (const effect of this.outbox.advance(this.nowMs)) this.#carryOut(effect);
    while (answerChallenges(this.challenges, this.outbox, this.nowMs, isLiar));
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.outbox.nextDeadlineMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.outbox.nextDeadlineMs());
      this.step();
      expect(this.outbox.nextDeadlineMs(), 'a deadline that stays in the past').toBeGreaterThan(this.nowMs);
    }
    this.nowMs = endMs;
    this.step();
  }

  link(...devices: readonly (DeviceId | undefined)[]): void {
    for (const device of devices) if (device !== undefined) this.linked.add(device);
    this.outbox.touch();
    this.step();
  }

  unlink(device: DeviceId): void {
    this.linked.delete(device);
    this.outbox.linkDown(device);
    for (const verdict of this.challenges.linkDown(this.nowMs, device))
      this.outbox.judged(this.nowMs, verdict);
    this.step();
  }

  /** What `device` was last offered and neither holds nor refused. */
  offersTo(device: DeviceId | undefined): number[] {
    return this.offers.filter(({ to }) => to === device).map(({ fragment }) => fragment);
  }

  /** A device takes no more than its cap, whatever it was offered over time. */
  take(device: DeviceId, fragment: number): void {
    if ((this.held.get(device)?.size ?? 0) < fragmentCap(this.manifest.k)) this.confirm(device, fragment);
    else this.refuse(device, fragment, 'cap');
  }

  confirm(device: DeviceId, fragment: number): void {
    this.held.set(device, (this.held.get(device) ?? new Set()).add(fragment));
    this.outbox.touch(FILE);
    this.step();
  }

  /** Every device takes all that was offered, until nothing new is. */
  confirmAll(): void {
    for (let known = -1; known !== this.offers.length;) {
      known = this.offers.length;
      for (const { to, fragment } of this.offers.slice()) {
        if (this.linked.has(to) && this.held.get(to)?.has(fragment) !== true) this.take(to, fragment);
      }
    }
  }

  refuse(device: DeviceId, fragment: number, reason: Refusal): void {
    const place: Place = { file: FILE, fragment };
    this.outbox.refused(this.nowMs, device, place, reason);
    this.step();
  }

  #carryOut(effect: OutboxEffect): void {
    if (effect.kind === 'outbox-done') {
      expect(this.isDone, 'done twice').toBe(false);
      this.kept = effect.keep;
      this.#expectSafe(effect.keep);
      return;
    }
    if (effect.message.kind === 'release') {
      const { file, fragment } = effect.message.place;
      expect(file).toBe(FILE);
      this.releases.push({ from: effect.to, fragment });
      return;
    }
    if (effect.message.kind !== 'place')
      throw new Error('an outbox may only offer and ask for second copies back');
    for (const { file, fragment } of effect.message.places) {
      expect(file).toBe(FILE);
      expect(this.linked.has(effect.to), 'only linked devices are asked').toBe(true);
      expect(this.own.has(fragment), 'only what is here can be offered').toBe(true);
      this.offers.push({ to: effect.to, fragment, atMs: this.nowMs });
    }
  }

  /** The promise of the outbox, without its code: everything has a home, and any one device may be lost. */
  #expectSafe(keep: ReadonlySet<number>): void {
    const { k, n } = this.manifest;
    // A liar's claims are nowhere.
    const held = [...this.held].filter(([device]) => !this.liars.has(device));
    const all = new Set([...keep, ...held.flatMap(([, set]) => [...set])]);
    for (const fragment of this.own) expect(all.has(fragment)).toBe(true);
    for (const fragment of keep) expect(this.own.has(fragment)).toBe(true);
    expect(keep.size).toBeLessThanOrEqual(fragmentCap(k));
    const reachable = new Map(held.filter(([device]) => this.linked.has(device)));
    if (n > k) expect(marginOf(new Map(reachable).set(SELF, new Set(keep)), k)).toBeGreaterThanOrEqual(1);
    else expect(all.size).toBe(n);
  }
}

describe('devices come one by one', () => {
  it('one device keeps everything', () => {
    const pool = new Pool();
    pool.pass(600_000);
    expect(pool.offers).toEqual([]);
    expect(pool.isDone).toBe(false);
    expect(pool.outbox.progressOf(FILE)).toMatchObject({ placedCount: 3, pendingCount: 0 });
    expect(pool.outbox.nextDeadlineMs()).toBe(Infinity);
  });

  it('a second one takes k - 1, which is not enough to let go', () => {
    const pool = new Pool();
    pool.link(B);
    expect(pool.offersTo(B)).toHaveLength(3);
    expect(pool.outbox.progressOf(FILE)?.pendingCount).toBe(3);
    pool.confirmAll();
    expect(pool.outbox.progressOf(FILE)).toMatchObject({ placedCount: 6, pendingCount: 0 });
    expect(pool.isDone).toBe(false);
  });

  it('a third one makes it safe: the rest is dropped', () => {
    const pool = new Pool();
    pool.link(B);
    pool.confirmAll();
    pool.link(C);
    expect(pool.isDone).toBe(false);
    pool.confirmAll();
    expect(pool.isDone).toBe(true);
    expect(pool.outbox.has(FILE)).toBe(false);
    expect(pool.kept?.size).toBeLessThanOrEqual(3);
  });

  it('three at the same time share evenly, and nothing is dropped before the last proof', () => {
    const pool = new Pool();
    pool.link(B, C, D);
    const offers = [...pool.offers];
    expect(offers).toHaveLength(6);
    expect(new Set(offers.map(({ fragment }) => fragment)).size).toBe(6);
    for (const [index, { to, fragment }] of offers.entries()) {
      expect(pool.isDone).toBe(false);
      const claimedCount = 2 + index;
      const pendingCount = 6 - index;
      expect(pool.outbox.progressOf(FILE)).toEqual({ placedCount: 2, claimedCount, pendingCount });
      pool.confirm(to, fragment);
    }
    expect(pool.isDone).toBe(true);
    expect(pool.kept?.size).toBe(2);
  });

  it('a quorum is put to the proof after a moment, without waiting for slow devices', () => {
    const pool = new Pool();
    pool.link(B, C, D);
    const offers = [...pool.offers];
    for (const { to, fragment } of offers.slice(0, 4)) pool.confirm(to, fragment);
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBe(2);
    pool.pass(GATHER_MS);
    expect(pool.outbox.progressOf(FILE)).toMatchObject({ placedCount: 6, claimedCount: 6, pendingCount: 2 });
    expect(pool.isDone).toBe(false);
    for (const { to, fragment } of offers.slice(4)) pool.confirm(to, fragment);
    expect(pool.isDone).toBe(true);
  });

  it('a quorum is put to the proof in time, even if something of another file expires before', () => {
    const other = fileIdAt(9);
    const manifest = manifestOf(SELF);
    const held = new Map<FileId, Map<DeviceId, Set<number>>>();
    const devices = [B, C, D].flatMap((device) => device ?? []);
    const challenges = new Challenges({ canProve: () => true, proofBlocksOf: () => 8 });
    const outbox = new Outbox(
      {
        self: SELF,
        manifestOf: () => manifest,
        ownOf: () => new Set(indicesOf(8)),
        holdersOf: (file) => new Map(held.get(file)),
        candidates: () => [SELF, ...devices].map((device) => ({ device, freeBytes: Infinity })),
        isReachable: () => true,
        anchorsOf: () => new Set<DeviceId>(),
        isRebuilding: () => false,
      },
      challenges,
    );
    for (const file of [FILE, other]) outbox.add(file);
    const offers = outbox
      .advance(0)
      .flatMap((effect) =>
        effect.kind === 'send' && effect.message.kind === 'place'
          ? effect.message.places.map((place) => ({ to: effect.to, place }))
          : [],
      );
    const refused = offers.find(({ place }) => place.file === other);
    if (refused === undefined) throw new Error('expected an offer');
    outbox.refused(0, refused.to, refused.place, 'busy');
    outbox.advance(0);
    const startMs = RETRY_SOON_MS - GATHER_MS / 2;
    const claimed = offers.filter(({ place }) => place.file === FILE).slice(0, 4);
    const ofFile = new Map<DeviceId, Set<number>>();
    for (const { to, place } of claimed)
      ofFile.set(to, (ofFile.get(to) ?? new Set<number>()).add(place.fragment));
    held.set(FILE, ofFile);
    outbox.touch(FILE);
    outbox.advance(startMs);
    expect(outbox.nextDeadlineMs()).toBe(RETRY_SOON_MS);
    outbox.advance(RETRY_SOON_MS);
    expect(outbox.nextDeadlineMs()).toBe(startMs + GATHER_MS);
  });

  it('nothing is dropped for proofs from different moments: all holders are proved together at the end', () => {
    const pool = new Pool();
    pool.link(B, C, D);
    const offers = [...pool.offers];
    for (const { to, fragment } of offers.slice(0, 4)) pool.confirm(to, fragment);
    pool.pass(GATHER_MS);
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBe(6);
    // Devices that proved lie from now on: they dropped what they had proved.
    const proved = new Set(offers.slice(0, 4).map(({ to }) => to));
    for (const device of proved) pool.liars.add(device);
    for (const { to, fragment } of offers.slice(4)) pool.confirm(to, fragment);
    expect(pool.isDone).toBe(false);
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBeLessThan(6);
  });

  it('k = n is done once each fragment has its home, because no placement gives a margin', () => {
    const pool = new Pool({ k: 4, n: 4 });
    pool.link(B);
    pool.confirmAll();
    expect(pool.isDone).toBe(true);
  });

  it('a mirror gives each device one copy', () => {
    const pool = new Pool({ k: 1, n: 3 });
    pool.link(B);
    pool.confirmAll();
    expect(pool.isDone).toBe(false);
    pool.link(C);
    pool.confirmAll();
    expect(pool.isDone).toBe(true);
    expect([pool.kept?.size, pool.held.get(itemAt([...pool.linked], 0))?.size]).toEqual([1, 1]);
  });
});

describe('a refusal', () => {
  it.each<[Refusal, number]>([
    ['cap', RETRY_LATER_MS],
    ['space', RETRY_LATER_MS],
    ['busy', RETRY_SOON_MS],
    ['unknown-file', RETRY_SOON_MS],
    ['failed', RETRY_SOON_MS],
  ])('for %s is followed by another offer after %i ms, and not before', (reason, afterMs) => {
    const pool = new Pool();
    pool.link(B);
    const before = pool.offers.length;
    for (const fragment of pool.offersTo(B)) pool.refuse(itemAt([...pool.linked], 0), fragment, reason);
    pool.pass(afterMs - 1);
    expect(pool.offers).toHaveLength(before);
    pool.pass(1);
    expect(pool.offers).toHaveLength(2 * before);
  });

  it('sends the fragments to another device immediately', () => {
    const pool = new Pool({ k: 5, n: 8 });
    pool.link(B, C);
    const refused = pool.offersTo(B);
    for (const fragment of refused) pool.refuse(itemAt([...pool.linked], 0), fragment, 'space');
    // Four each, for this device and C: the cap at k = 5.
    expect(new Set(pool.offersTo(C)).size).toBe(4);
    expect(pool.offersTo(B)).toEqual(refused);
  });

  it('of something that was not offered changes nothing', () => {
    const pool = new Pool();
    pool.link(B);
    const offered = new Set(pool.offersTo(B));
    const other = indicesOf(8).find((fragment) => !offered.has(fragment)) ?? -1;
    for (const device of [...pool.linked, SELF]) pool.refuse(device, other, 'busy');
    pool.pass(RETRY_SOON_MS);
    expect(pool.offersTo(B)).toHaveLength(3);
    expect(pool.outbox.progressOf(FILE)?.pendingCount).toBe(3);
  });

  it('from a device that fails each time is no longer waited for in the end', () => {
    const pool = new Pool();
    pool.link(B);
    for (let time = 0; time < 4; time++) {
      for (const fragment of pool.offersTo(B).slice(-3))
        pool.refuse(itemAt([...pool.linked], 0), fragment, 'failed');
      expect(pool.outbox.progressOf(FILE)?.pendingCount).toBe(time < 3 ? 1 : 0);
      pool.pass(RETRY_SOON_MS);
    }
  });
});

describe('an offer', () => {
  it('without a sign of progress is made again after its deadline; one with a sign is not', () => {
    const pool = new Pool();
    pool.link(B);
    pool.pass(OFFER_DEADLINE_MS - 1);
    pool.outbox.progressed(pool.nowMs, itemAt([...pool.linked], 0));
    pool.pass(OFFER_DEADLINE_MS - 1);
    expect(pool.offersTo(B)).toHaveLength(3);
    pool.pass(1 + RETRY_SOON_MS);
    expect(pool.offersTo(B)).toHaveLength(6);
  });

  it('to a lost device goes to others; what it took and did not prove is waited for a while', () => {
    const pool = new Pool();
    pool.link(B, C);
    const [lost] = [...pool.linked];
    if (lost === undefined) throw new Error('expected a device');
    const taken = itemAt(pool.offersTo(lost), 0);
    pool.confirm(lost, taken);
    pool.unlink(lost);
    pool.link(D);
    pool.confirmAll();
    pool.pass(MISSING_PATIENCE_MS - 1);
    expect(pool.offersTo(D)).not.toContain(taken);
    expect(pool.isDone).toBe(false);
    pool.pass(1);
    pool.confirmAll();
    expect([...pool.offersTo(C), ...pool.offersTo(D), ...(pool.kept ?? [])]).toContain(taken);
    expect(pool.isDone).toBe(true);
  });

  it('that was taken and proved before the device went away stays its own', () => {
    const pool = new Pool({ k: 2, n: 4 });
    pool.link(B);
    const [only] = [...pool.linked];
    if (only === undefined) throw new Error('expected a device');
    pool.confirmAll();
    const proved = pool.offersTo(only);
    pool.unlink(only);
    pool.link(C, D);
    pool.pass(2 * MISSING_PATIENCE_MS);
    for (const fragment of proved) expect([...pool.offersTo(C), ...pool.offersTo(D)]).not.toContain(fragment);
  });

  it('does not count toward the margin on a device that is away', () => {
    const pool = new Pool({ k: 2, n: 3 });
    pool.link(B, C);
    const offers = [...pool.offers];
    const last = itemAt(offers, offers.length - 1);
    for (const { to, fragment } of offers.slice(0, -1)) pool.confirm(to, fragment);
    pool.linked.delete(last.to);
    pool.outbox.linkDown(last.to);
    // It took the fragment with it: all three have homes, but one of the three is away.
    pool.confirm(last.to, last.fragment);
    expect(pool.isDone).toBe(false);
    pool.link(last.to);
    expect(pool.isDone).toBe(true);
  });
});

describe('a claim that is not proved', () => {
  it('lets nothing go, however many devices make it', () => {
    const pool = new Pool();
    for (const index of [1, 2, 3, 4, 5]) pool.liars.add(deviceAt(index).deviceId);
    pool.link(...pool.liars);
    pool.confirmAll();
    pool.pass(600_000);
    expect(pool.isDone).toBe(false);
    // This device's own share, at most the cap; nothing of theirs.
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBeLessThanOrEqual(3);
  });

  it('sends the fragment to another device, and is challenged again later', () => {
    const pool = new Pool();
    if (B === undefined) throw new Error('expected a device');
    pool.liars.add(B);
    pool.link(B, C, D);
    const wanted = pool.offersTo(B);
    pool.confirmAll();
    expect(pool.isDone).toBe(true);
    const held = [C, D].flatMap((device) => [...(pool.held.get(device ?? SELF) ?? [])]);
    for (const fragment of wanted) expect([...held, ...(pool.kept ?? [])]).toContain(fragment);
  });

  it('that becomes true counts from then on', () => {
    const pool = new Pool({ k: 2, n: 3 });
    if (B === undefined) throw new Error('expected a device');
    pool.liars.add(B);
    pool.link(B, C);
    pool.confirmAll();
    expect(pool.isDone).toBe(false);
    pool.liars.delete(B);
    pool.pass(RETRY_LATER_MS);
    expect(pool.isDone).toBe(true);
  });

  it('is forgotten when it is withdrawn: a new one must be proved again', () => {
    const pool = new Pool();
    if (B === undefined) throw new Error('expected a device');
    pool.link(B);
    pool.confirmAll();
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBe(6);
    pool.liars.add(B);
    const claimed = pool.held.get(B) ?? new Set();
    pool.held.delete(B);
    pool.outbox.touch(FILE);
    pool.step();
    for (const fragment of claimed) pool.confirm(B, fragment);
    expect(pool.outbox.progressOf(FILE)?.placedCount).toBe(3);
  });
});

describe('a fragment that was damaged here', () => {
  it('is neither offered nor kept nor waited for', () => {
    const pool = new Pool();
    pool.own.delete(5);
    pool.link(B, C);
    pool.confirmAll();
    expect(pool.isDone).toBe(true);
    expect(pool.offers.some(({ fragment }) => fragment === 5)).toBe(false);
    expect(pool.kept?.has(5)).toBe(false);
  });
});

describe('a file', () => {
  it('that is not known yet waits; one that is removed is forgotten', () => {
    const pool = new Pool();
    const unknown = fileIdAt(7);
    pool.outbox.add(unknown);
    pool.link(B);
    expect(pool.outbox.has(unknown)).toBe(true);
    pool.outbox.remove(unknown);
    expect([pool.outbox.has(unknown), pool.outbox.progressOf(unknown)]).toEqual([false, undefined]);
  });
});

describe('whatever the pool does,', () => {
  it('copies are let go exactly when all is placed and any one device may be lost', () => {
    const device = fc.integer({ min: 1, max: 5 });
    const event = fc.oneof(
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('link'), device }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unlink'), device }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('confirm'), pick: fc.nat() }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('refuse'),
          pick: fc.nat(),
          reason: fc.constantFrom<Refusal>('cap', 'space', 'busy', 'unknown-file', 'failed'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose'), device }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('lie'), device }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat(70_000) }) },
    );
    const shape = fc.constantFrom([4, 8], [2, 4], [3, 3], [1, 3], [5, 7]);
    fc.assert(
      fc.property(shape, fc.array(event, { maxLength: 60 }), ([k = 1, n = 1], events) => {
        const pool = new Pool({ k, n });
        for (const step of events) {
          if (pool.isDone) return;
          const id = 'device' in step ? deviceAt(step.device).deviceId : SELF;
          const offer = 'pick' in step ? pool.offers[step.pick % Math.max(1, pool.offers.length)] : undefined;
          switch (step.kind) {
            case 'link':
              pool.link(id);
              break;
            case 'unlink':
              pool.unlink(id);
              break;
            case 'confirm':
              if (offer !== undefined) pool.take(offer.to, offer.fragment);
              break;
            case 'refuse':
              if (offer !== undefined) pool.refuse(offer.to, offer.fragment, step.reason);
              break;
            case 'lose':
              pool.held.delete(id);
              pool.outbox.touch(FILE);
              pool.step();
              break;
            case 'lie':
              // A device that proved nothing yet: one that did has what it proved.
              if (!pool.held.has(id)) pool.liars.add(id);
              break;
            case 'pass':
              pool.pass(step.ms);
              break;
          }
        }
        // Enough devices that take what they are offered: in the end it is done.
        pool.liars.clear();
        pool.link(...indicesOf(5).map((index) => deviceAt(index + 1).deviceId));
        for (let round = 0; round < 5 && !pool.isDone; round++) {
          pool.confirmAll();
          pool.pass(RETRY_LATER_MS + OFFER_DEADLINE_MS);
        }
        expect(pool.isDone).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('second copies', () => {
  it('are asked back one at a time, while both devices are at the cap, until all fragments have a home', () => {
    const pool = new Pool({ k: 4, n: 8 });
    if (B === undefined || C === undefined) throw new Error('expected two devices');
    // What remains when a storer forgot that it had offered this to B and offered the same to C.
    for (const fragment of [1, 3, 5]) {
      pool.held.set(B, (pool.held.get(B) ?? new Set()).add(fragment));
      pool.held.set(C, (pool.held.get(C) ?? new Set()).add(fragment));
    }
    pool.link(B, C);
    for (let turn = 0; turn < 10 && !pool.isDone; turn++) {
      const asked = pool.releases.splice(0);
      expect(asked.length, 'one at a time').toBeLessThanOrEqual(1);
      for (const { from, fragment } of asked) {
        const other = from === B ? C : B;
        expect(pool.held.get(other)?.has(fragment), 'nothing is given up that is not elsewhere').toBe(true);
        pool.held.get(from)?.delete(fragment);
      }
      pool.link();
      pool.confirmAll();
      if (!pool.isDone) pool.pass(RETRY_SOON_MS);
    }
    expect(pool.isDone).toBe(true);
  });

  it('are asked back again when nothing happened, a bounded number of times', () => {
    const pool = new Pool({ k: 4, n: 8 });
    if (B === undefined || C === undefined) throw new Error('expected two devices');
    for (const device of [B, C]) pool.held.set(device, new Set([1, 3, 5]));
    pool.link(B, C);
    expect(pool.releases).toHaveLength(1);
    pool.pass(10 * RETRY_SOON_MS);
    expect(pool.releases.length).toBeGreaterThan(3);
    pool.pass(3_600_000);
    expect(pool.releases).toHaveLength(64);
    expect(pool.isDone).toBe(false);
  });
});
