// What membership costs and how often it errs, measured with whole devices on the sessions of
// test/durability/populations.ts: the table of docs/DURABILITY.md. `npm run test:sim -- --measure`.

import { POPULATIONS, sessionsOf, type Kind as Sleeper } from '../../durability/populations.ts';
import type { DeviceClass } from '../../../src/core/model/device-class.ts';
import { joinPool, SimDevice } from '../device.ts';
import { LinkedNetwork } from '../linked-network.ts';
import { randomFrom } from '../seeded-random.ts';
import { World } from '../world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SEED = 1;
/** What each device shows is looked at this often, ms. */
const LOOK_MS = 10_000;
/** A page is killed without a goodbye in this share of its ends; otherwise it is hidden and frozen. */
const KILLED = 0.2;
/** What ends with the page is noticed within this, ms. */
const NOTICE_MS = 15_000;
/** From this hour on, people are awake. */
const START_HOUR = 7;

/** How long each population is followed: as long as some minutes of one core allow. */
const FOLLOWED_MS: Readonly<Record<string, number>> = {
  household: DAY_MS,
  class: 4 * HOUR_MS,
  event: HOUR_MS,
  campus: HOUR_MS,
};
const CLASSES: Readonly<Record<Sleeper, DeviceClass>> = {
  anchor: 'alwaysOn',
  desk: 'laptop',
  lid: 'laptop',
  phone: 'phone',
  visitor: 'phone',
  pupil: 'laptop',
  member: 'phone',
};

interface Member {
  readonly device: SimDevice;
  isOpen: boolean;
  /** When it was lost without a word, ms; undefined while it runs or after it said goodbye. */
  killedAtMs: number | undefined;
  changedAtMs: number;
}

interface Measured {
  messages: number;
  bytes: number;
  openMs: number;
  linkMs: number;
  falseSuspicions: number;
  falselyGone: number;
  /** From a kill to the moment in which a device no longer shows it as reachable, ms. */
  readonly noticedMs: number[];
}

export async function measure(say: (line: string) => void, only?: string): Promise<void> {
  say(
    '| population | devices | followed | open at once | frames a device and minute | bytes a device and second | noticed after, median / 95 % | false suspicions | falsely gone |',
  );
  say('|---|---|---|---|---|---|---|---|---|');
  for (const { name, counts } of POPULATIONS) {
    if (only !== undefined && only !== name) continue;
    const kinds = Object.entries(counts).flatMap(
      ([kind, count]) => Array.from({ length: count }, () => kind as Sleeper), // its keys
    );
    const durationMs = FOLLOWED_MS[name] ?? HOUR_MS;
    say(rowOf(name, kinds.length, durationMs, await follow(kinds, durationMs)));
  }
}

async function follow(kinds: readonly Sleeper[], durationMs: number): Promise<Measured> {
  const world = new World(SEED);
  const network = new LinkedNetwork(world);
  const random = randomFrom(SEED);
  const members: Member[] = [];
  for (const [index, kind] of kinds.entries()) {
    const device = new SimDevice(`${kind} ${index + 1}`, world, network, CLASSES[kind]);
    const [first] = members;
    if (first === undefined) await world.settled('created', device.pool.createPool({ name: 'measured' }));
    else await joinPool(world, device, first.device);
    await world.pass(500);
    // All at once would be a pool that never is.
    if (first !== undefined) device.kill();
    members.push({ device, isOpen: first === undefined, killedAtMs: undefined, changedAtMs: world.nowMs });
  }
  members[0]?.device.kill();
  const measured: Measured = {
    messages: 0,
    bytes: 0,
    openMs: 0,
    linkMs: 0,
    falseSuspicions: 0,
    falselyGone: 0,
    noticedMs: [],
  };
  await world.pass(MINUTE_MS);
  for (const member of members) Object.assign(member, { isOpen: false, changedAtMs: world.nowMs });
  network.connections.onFrame = (frame) => {
    measured.messages += 1;
    measured.bytes += frame.length;
  };
  const startMs = world.nowMs;
  for (const [index, member] of members.entries()) {
    const kind = kinds[index];
    if (kind === undefined) continue;
    const beginMs = START_HOUR * HOUR_MS;
    for (const session of sessionsOf(kind, random, beginMs, beginMs + durationMs)) {
      const killed = random.unit() < KILLED;
      const fromMs = Math.round(Math.max(0, session.startMs - beginMs));
      const toMs = Math.round(session.endMs - beginMs);
      if (toMs < 0 || fromMs > durationMs) continue;
      world.after(fromMs, () => begin(world, member));
      world.after(toMs, () => end(world, member, killed));
    }
  }
  watch(world, members, measured);
  await world.pass(startMs + durationMs - world.nowMs);
  return measured;
}

function begin(world: World, member: Member): void {
  if (member.isOpen) return;
  Object.assign(member, { isOpen: true, killedAtMs: undefined, changedAtMs: world.nowMs });
  if (member.device.isFrozen) member.device.thaw();
  else void member.device.opened();
}

function end(world: World, member: Member, killed: boolean): void {
  if (!member.isOpen) return;
  Object.assign(member, { isOpen: false, changedAtMs: world.nowMs });
  if (killed) {
    member.killedAtMs = world.nowMs;
    member.device.kill();
    return;
  }
  member.device.sayGoodbye();
  world.after(50, () => {
    if (!member.isOpen) member.device.freeze();
  });
}

function watch(world: World, members: readonly Member[], measured: Measured): void {
  const states = new Map<string, string>();
  const look = (): void => {
    const open = members.filter(({ isOpen }) => isOpen);
    measured.openMs += open.length * LOOK_MS;
    for (const viewer of open) {
      if (world.nowMs - viewer.changedAtMs < NOTICE_MS) continue;
      const shown = new Map(viewer.device.pool.status().devices.map(({ id, state }) => [id, state]));
      for (const member of members) {
        const state = shown.get(member.device.id);
        const key = `${viewer.device.id} ${member.device.id}`;
        const before = states.get(key);
        if (state === undefined || member === viewer) continue;
        states.set(key, state);
        if (state === 'reachable') measured.linkMs += LOOK_MS;
        if (before === state) continue;
        const isThere = member.isOpen && world.nowMs - member.changedAtMs > NOTICE_MS;
        if (isThere && state === 'suspect') measured.falseSuspicions += 1;
        if (isThere && state === 'gone') measured.falselyGone += 1;
        if (before === 'reachable' && member.killedAtMs !== undefined)
          measured.noticedMs.push(world.nowMs - member.killedAtMs);
      }
    }
    world.after(LOOK_MS, look);
  };
  look();
}

function rowOf(name: string, deviceCount: number, durationMs: number, measured: Measured): string {
  const { messages, bytes, openMs, falseSuspicions, falselyGone, noticedMs } = measured;
  const sorted = noticedMs.toSorted((a, b) => a - b);
  const at = (share: number): string => {
    const ms = sorted[Math.floor(share * (sorted.length - 1))];
    return ms === undefined ? '–' : `${Math.round(ms / 1000)} s`;
  };
  const cells = [
    name,
    deviceCount,
    `${durationMs / HOUR_MS} h`,
    (openMs / durationMs).toFixed(1),
    (messages / (openMs / MINUTE_MS)).toFixed(1),
    (bytes / (openMs / 1000)).toFixed(0),
    `${at(0.5)} / ${at(0.95)}`,
    falseSuspicions,
    falselyGone,
  ];
  return `| ${cells.join(' | ')} |`;
}
