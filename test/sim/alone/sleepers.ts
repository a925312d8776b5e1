// When devices have the app open in a story of years: the sessions of test/durability/populations.ts, and how
// long each device lasts. Lost ones are replaced.

import { DAY_MS, HOUR_MS, lifeMs, sessionsOf, type Population } from '../../durability/populations.ts';
import { randomFrom } from '../seeded-random.ts';
import { forgetActor, joinAnew } from './faults.ts';
import { close, open, rest } from './life.ts';
import type { Actor, Kind, Scene } from './scene.ts';

/** A new device takes the place of a lost one after a few days, as in the model, ms. */
const REPLACED_AFTER_MS = 3 * DAY_MS;
/** Who runs unused is sent to sleep this long after somebody used a device, or at the next look, ms. */
const SWEPT_AFTER_MS = 10 * 60_000;
const SWEEP_MS = 6 * HOUR_MS;
/** Newcomers ask the first that has the app open after this, ms. */
const JOIN_MS = 30_000;
/** A browser ends most tabs that were frozen for longer, ms. */
const DISCARDED_AFTER_MS = 6 * HOUR_MS;
const DISCARDED = 0.8;
/** A device is known to others for good after this, ms. */
const KNOWN_MS = 10_000;

/** Of a population: kinds of its devices, without visitors. */
export function kindsOf({ counts }: Population): Kind[] {
  const kinds: readonly Kind[] = ['anchor', 'desk', 'lid', 'phone', 'pupil', 'member'];
  return kinds.flatMap((kind) => Array.from({ length: counts[kind] ?? 0 }, () => kind));
}

export class Sleepers {
  readonly #scene: Scene;
  readonly #beginMs: number;
  readonly #endMs: number;
  readonly #wanted: readonly Kind[];
  /** Until when somebody uses it, ms. */
  readonly #usedUntilMs = new Map<Actor, number>();
  readonly #lackingSinceMs = new Map<Kind, number>();
  #isSweepDue = false;
  /** Called when a device is lost for good: after the disk is gone. */
  onLoss: (actor: Actor) => void = () => undefined;

  /** Called when somebody begins to use a device, and for how long, ms. */
  onSession: (actor: Actor, lengthMs: number) => void = () => undefined;

  /** From now on, for `days`: the first day is a Monday. */
  constructor(scene: Scene, wanted: readonly Kind[], days: number) {
    this.#scene = scene;
    this.#wanted = wanted;
    this.#beginMs = scene.world.nowMs;
    this.#endMs = scene.world.nowMs + days * DAY_MS;
    this.#sweepAgain();
  }

  #sweepAgain(): void {
    if (this.#scene.areFaultsOver) return;
    this.#sweep();
    this.#scene.world.after(SWEEP_MS, () => this.#sweepAgain());
  }

  #sweepSoon(): void {
    if (this.#isSweepDue) return;
    this.#isSweepDue = true;
    this.#scene.world.after(SWEPT_AFTER_MS, () => {
      this.#isSweepDue = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const { world, actors, areFaultsOver } = this.#scene;
    if (areFaultsOver) return;
    for (const actor of actors) {
      const isFollowed = this.#usedUntilMs.has(actor);
      if (actor.state === 'lost') this.#usedUntilMs.delete(actor);
      else if (!isFollowed && actor.isReady) this.#follow(actor);
      else if (actor.isReady && (this.#usedUntilMs.get(actor) ?? 0) <= world.nowMs) rest(this.#scene, actor);
    }
    this.#replace();
  }

  #replace(): void {
    const { world } = this.#scene;
    if (this.#scene.areFaultsOver) return;
    for (const kind of new Set(this.#wanted)) {
      const count = this.#scene.returning().filter((actor) => actor.kind === kind).length;
      if (count >= this.#wanted.filter((wanted) => wanted === kind).length) {
        this.#lackingSinceMs.delete(kind);
        continue;
      }
      const sinceMs = this.#lackingSinceMs.get(kind) ?? world.nowMs;
      this.#lackingSinceMs.set(kind, sinceMs);
      const lost = this.#scene.actors.findLast((actor) => actor.kind === kind && actor.state === 'lost');
      if (lost === undefined || world.nowMs - sinceMs < REPLACED_AFTER_MS) continue;
      joinAnew(this.#scene, lost);
    }
  }

  #follow(actor: Actor): void {
    const { world, random: stories } = this.#scene;
    const random = randomFrom(stories.below(2 ** 31));
    this.#usedUntilMs.set(actor, world.nowMs);
    this.#sweepSoon();
    const beginMs = world.nowMs - this.#beginMs;
    const sessions = sessionsOf(actor.kind, random, beginMs, this.#endMs - this.#beginMs);
    const diesInMs = lifeMs(random);
    if (world.nowMs + diesInMs < this.#endMs) world.after(Math.round(diesInMs), () => this.#die(actor));
    const next = (): void => {
      const session = sessions.next();
      if (session.done === true) return;
      const startMs = this.#beginMs + Math.round(session.value.startMs);
      const endMs = this.#beginMs + Math.round(session.value.endMs);
      world.after(startMs - world.nowMs, () => {
        if (actor.state === 'lost' || this.#scene.areFaultsOver) return;
        this.#usedUntilMs.set(actor, endMs);
        const isOld = actor.state === 'frozen' && world.nowMs - actor.frozenAtMs > DISCARDED_AFTER_MS;
        if (isOld && random.unit() < DISCARDED) close(this.#scene, actor, false);
        open(this.#scene, actor);
        this.onSession(actor, endMs - world.nowMs);
        // Whoever joins needs somebody who is there.
        world.after(JOIN_MS, () => this.#replace());
      });
      world.after(endMs - world.nowMs, () => {
        if (actor.state === 'lost' || this.#scene.areFaultsOver) return;
        rest(this.#scene, actor);
        this.#sweepSoon();
        next();
      });
    };
    next();
  }

  /** For good, whatever that costs, unless nobody else could know yet what it has. */
  #die(actor: Actor): void {
    const scene = this.#scene;
    if (actor.state === 'lost' || scene.areFaultsOver) return;
    if (this.#isAlone(actor)) {
      scene.count('loss put off');
      scene.world.after(12 * HOUR_MS, () => this.#die(actor));
      return;
    }
    scene.note(actor, 'is lost for good');
    scene.count('loss');
    forgetActor(scene, actor);
    actor.device.kill();
    this.onLoss(actor);
  }

  /** Whether it still places a file that people were told is stored, or is the only one that knows it. */
  #isAlone(actor: Actor): boolean {
    const scene = this.#scene;
    const others = scene.returning().filter((other) => other !== actor);
    const placing = new Set<string>(actor.device.store.contents().outbox);
    const isKnown = (knownBy: ReadonlyMap<string, number>): boolean =>
      others.some(({ id }) => (knownBy.get(id) ?? Infinity) <= scene.world.nowMs - KNOWN_MS);
    for (const { contentId, removal, knownBy, unlistedBy } of scene.files.values()) {
      if (removal === 'none' && (placing.has(contentId) || !isKnown(knownBy))) return true;
      if (removal === 'done' && !others.some(({ id }) => unlistedBy.has(id))) return true;
    }
    return false;
  }
}
