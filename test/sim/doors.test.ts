// Doors over the real transport: a newcomer with an invite, and members that wait at its door. What the acts
// of the pool say is made up here.

import { describe, expect, it } from 'vitest';
import type { DoorMessage } from '../../src/core/admission/door-message.ts';
import type { Application } from '../../src/core/catalogue/grants/ticket.ts';
import { CHECK_MS } from '../../src/core/links/link-timing.ts';
import { deviceIdOf, entryIdOf, type DeviceId } from '../../src/core/model/ids.ts';
import { doorOf, waitingKeyOf } from '../../src/core/model/invite-door.ts';
import type { TicketInvite } from '../../src/core/model/invite.ts';
import { decodeTicket, encodeTicketBody, signedTicketBytes } from '../../src/core/model/ticket.ts';
import type { Identity } from '../../src/core/ports.ts';
import { DoorLinks } from '../../src/runtime/doors/door-links.ts';
import { Joining, type Gift } from '../../src/runtime/doors/joining.ts';
import { MemberDoor, type DoorPool, type DoorPorts } from '../../src/runtime/doors/member-door.ts';
import { concatBytes } from '../../src/core/model/bytes.ts';
import { seededBytes } from '../fixtures/erasure-oracle.ts';
import { identityFrom } from '../fixtures/seeded-identity.ts';
import { LinkedNetwork } from './linked-network.ts';
import { SimProcess } from './process.ts';
import { synchronousCryptography as cryptography } from './synchronous-cryptography.ts';
import { World } from './world.ts';

const SECRET = seededBytes(32, 77);
const ACTS = [seededBytes(300, 1), seededBytes(300, 2)];
const HEAD = entryIdOf(seededBytes(10, 3));
const CHARTER = entryIdOf(seededBytes(10, 4));

function identityAt(index: number): Identity {
  return identityFrom(seededBytes(32, 500 + index));
}

class Stage {
  readonly world: World;
  readonly network: LinkedNetwork;
  /** Who was let in, by whom. */
  readonly admits: { readonly by: DeviceId; readonly application: Application }[] = [];
  readonly errors: unknown[] = [];
  isWithdrawn = false;

  constructor(seed = 7) {
    this.world = new World(seed);
    this.network = new LinkedNetwork(this.world);
  }

  portsOf(identity: Identity): DoorPorts {
    const clock = {
      monotonicMs: () => this.world.nowMs,
      wallMs: () => this.world.nowMs,
      after: (delayMs: number, run: () => void) => this.world.after(delayMs, run),
    };
    const process = new SimProcess();
    const createTransport: DoorPorts['createTransport'] = (keys, own, door) =>
      this.network.transportFor({ keys, identity: own, process, clock, door });
    return { identity, clock, cryptography, createTransport };
  }

  async invite(issuer: Identity, uses = 1, validMs = 3_600_000): Promise<TicketInvite> {
    const { privateKey: seed, publicKey } = await cryptography.newSigningPair();
    const body = encodeTicketBody({
      role: 'member',
      uses,
      expiresMs: this.world.nowMs + validMs,
      charter: CHARTER,
      inviteKey: publicKey,
      issuerKey: issuer.publicKey,
      heads: [HEAD],
    });
    const signature = await issuer.sign(signedTicketBytes(body));
    return { ticket: decodeTicket(concatBytes(body, signature)), seed };
  }

  /** A member that waits at the door of `invite`. */
  member(identity: Identity, { ticket, seed }: TicketInvite, change: Partial<DoorPool> = {}): MemberDoor {
    const pool: DoorPool = {
      facts: () => ({
        charter: CHARTER,
        knows: (act) => act === HEAD,
        roleOf: (device) => {
          if (device === ticket.issuer) return 'admin';
          const isIn = device === identity.deviceId || this.#admitted().has(device);
          return isIn ? 'member' : undefined;
        },
        isOut: () => false,
        isWithdrawn: () => this.isWithdrawn,
        admittedBy: () => this.#admitted().size,
        nowMs: this.world.nowMs,
      }),
      hasKeys: (device) => [0, 1].some((index) => identityAt(index).deviceId === device),
      admit: async (application) => {
        this.admits.push({ by: identity.deviceId, application });
      },
      acts: () => ACTS,
      secrets: () => [{ epoch: null, secret: SECRET }],
      failed: (error) => this.errors.push(error),
      ...change,
    };
    const door = new MemberDoor({ ticket, waitingKey: waitingKeyOf(seed) }, this.portsOf(identity), pool);
    door.open();
    return door;
  }

  /** A newcomer at the door of `invite`, and what it hears there. */
  async newcomer(
    identity: Identity,
    invite: TicketInvite,
    believes = (_gift: Gift) => true,
    ports = this.portsOf(identity),
  ) {
    const heard = { gifts: [] as Gift[], refusals: [] as string[] };
    const pair = await cryptography.newExchangePair();
    const joining = new Joining(invite, pair, ports, {
      take: async (gift) => {
        heard.gifts.push(gift);
        return believes(gift);
      },
      refused: (reason) => heard.refusals.push(reason),
      failed: (error) => this.errors.push(error),
      changed: () => undefined,
    });
    joining.open();
    return { ...heard, joining };
  }

  #admitted(): Set<DeviceId> {
    return new Set(this.admits.map(({ application }) => deviceIdOf(application.key)));
  }
}

describe('a newcomer at a door', () => {
  it('is let in by a member while the issuer is away, and gets acts and keys', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    stage.member(identityAt(1), invite);
    const { gifts } = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it is let in', () => gifts.length > 0);
    expect(gifts).toEqual([
      { from: identityAt(1).deviceId, acts: ACTS, secrets: [{ epoch: null, secret: SECRET }] },
    ]);
    expect(stage.admits.map(({ by }) => by)).toEqual([identityAt(1).deviceId]);
    expect([stage.errors, stage.network.bugs]).toEqual([[], []]);
  });

  it('waits until a member comes', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    const { gifts, refusals, joining } = await stage.newcomer(identityAt(2), invite);
    await stage.world.pass(600_000);
    expect([gifts, refusals, joining.isAsking, joining.relay]).toEqual([[], [], false, 'connected']);
    stage.member(identityAt(1), invite);
    await stage.world.until('it is let in', () => gifts.length > 0);
  });

  it('is let in once by one of two members that wait, who never link with each other', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    stage.member(identityAt(0), invite);
    stage.member(identityAt(1), invite);
    await stage.world.pass(30_000);
    const links = stage.network.connections.openedCount;
    const { gifts } = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it is let in', () => gifts.length > 0);
    await stage.world.pass(30_000);
    expect([links, stage.admits.length, gifts.length]).toEqual([0, 1, 1]);
  });

  it('is told that the invite is used, by the second device with it', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    stage.member(identityAt(0), invite);
    const first = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('the first is let in', () => first.gifts.length > 0);
    await stage.world.settled('the first is gone', first.joining.close());
    const second = await stage.newcomer(identityAt(3), invite);
    await stage.world.until('the second is refused', () => second.refusals.length > 0);
    expect([second.refusals, second.gifts, stage.admits.length]).toEqual([['used'], [], 1]);
  });

  it('gets again what it lost, without being let in twice', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    stage.member(identityAt(0), invite);
    const first = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it is let in', () => first.gifts.length > 0);
    await stage.world.settled('the first is gone', first.joining.close());
    const again = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it gets the keys again', () => again.gifts.length > 0);
    expect(stage.admits).toHaveLength(1);
  });

  it.each([
    ['expired', (stage: Stage) => stage.world.pass(3_600_000 + 600_001)],
    ['withdrawn', async (stage: Stage) => void (stage.isWithdrawn = true)],
  ])('is told that the invite is %s', async (reason, happens) => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    stage.member(identityAt(0), invite);
    await happens(stage);
    const { refusals, gifts } = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it is refused', () => refusals.length > 0);
    expect([refusals, gifts, stage.admits]).toEqual([[reason], [], []]);
  });

  it('asks the next member when what the first gives proves nothing', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0), 2);
    stage.member(identityAt(0), invite);
    stage.member(identityAt(1), invite);
    const liar = identityAt(0).deviceId;
    const { gifts } = await stage.newcomer(identityAt(2), invite, ({ from }) => from !== liar);
    await stage.world.until('the other gives', () => gifts.some(({ from }) => from !== liar));
  });

  it('is asked to come again when the act could not be written', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0));
    let fails = 1;
    stage.member(identityAt(0), invite, {
      admit: async (application) => {
        if (fails-- > 0) throw new Error('the disk is full');
        stage.admits.push({ by: identityAt(0).deviceId, application });
      },
    });
    const { gifts } = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('it is let in', () => gifts.length > 0);
    expect(stage.errors).toEqual([new Error('the disk is full')]);
  });
});

describe('many newcomers with one invite at the same moment', () => {
  /** Ends the join of those that are let in, as a device does. */
  async function crowd(stage: Stage, count: number, silentCount = 0) {
    const invite = await stage.invite(identityAt(0), count);
    stage.member(identityAt(0), invite);
    await stage.world.pass(5_000);
    const beganMs = stage.world.nowMs;
    const inMs: number[] = [];
    for (let index = 2; index < count + 2; index++) {
      const identity = identityAt(index);
      const ports = stage.portsOf(identity);
      const unmarked: DoorPorts['createTransport'] = (keys, own, door) =>
        ports.createTransport(keys, own, door && { ...door, isNewcomer: false });
      const isSilent = index < silentCount + 2;
      const { joining } = await stage.newcomer(
        identity,
        invite,
        () => {
          inMs.push(stage.world.nowMs - beganMs);
          void joining.close();
          return true;
        },
        isSilent ? { ...ports, createTransport: unmarked } : ports,
      );
    }
    await stage.world.until('all are let in', () => inMs.length === count);
    return Math.max(...inMs);
  }

  it('are let in about as soon as one alone, and never link with each other', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const stage = new Stage(seed);
      expect(await crowd(stage, 8), `seed ${seed}`).toBeLessThan(1_000);
      // Each link has two ends.
      expect([stage.network.connections.openedCount, stage.errors, stage.network.bugs]).toEqual([16, [], []]);
    }
  });

  it('are let in one after the other where they are more than a door has links', async () => {
    for (let seed = 1; seed <= 2; seed++) {
      expect(await crowd(new Stage(seed), 30), `seed ${seed}`).toBeLessThan(1_500);
    }
  });

  it('do not wait for each other where some do not say that they are newcomers', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const stage = new Stage(seed);
      // One that was let in may leave without a word while another is asking it.
      expect(await crowd(stage, 6, 3), `seed ${seed}`).toBeLessThan(CHECK_MS + 1_000);
      expect([stage.errors, stage.network.bugs]).toEqual([[], []]);
    }
  });
});

describe('a stranger at a door', () => {
  /** Somebody with the invite's room, who sends what it likes. */
  async function stranger(stage: Stage, identity: Identity, invite: TicketInvite, message: DoorMessage) {
    const { createTransport } = stage.portsOf(identity);
    const limits = { accepts: () => true, maxLinkCount: 8, isNewcomer: false };
    const transport = createTransport(doorOf(waitingKeyOf(invite.seed)), identity, limits);
    const links = new DoorLinks(transport);
    const heard: DoorMessage[] = [];
    let endCount = 0;
    links.open({
      linkUp: (device) => void links.send(device, message),
      linkDown: () => (endCount += 1),
      message: (_device, answer) => heard.push(answer),
    });
    await stage.world.until('its link is ended', () => endCount > 0);
    return heard;
  }

  it('that replays the proof of another over its own link gets nothing', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0), 5);
    stage.member(identityAt(1), invite);
    const { gifts } = await stage.newcomer(identityAt(2), invite);
    await stage.world.until('the newcomer is let in', () => gifts.length > 0);
    const application = stage.admits[0]?.application as Application; // it was let in
    const replay: DoorMessage = { kind: 'admission-wanted', ...application };
    expect(await stranger(stage, identityAt(3), invite, replay)).toEqual([]);
    expect(stage.admits).toHaveLength(1);
  });

  it('that proves nothing, or an invite of its own, gets nothing', async () => {
    const stage = new Stage();
    const invite = await stage.invite(identityAt(0), 5);
    stage.member(identityAt(1), invite);
    const own = await stage.invite(identityAt(3), 5);
    for (const ticket of [invite.ticket, own.ticket]) {
      const { publicKey } = identityAt(3);
      const message: DoorMessage = {
        kind: 'admission-wanted',
        ticket: ticket.bytes,
        key: publicKey,
        exchange: Uint8Array.from((await cryptography.newExchangePair()).publicKey),
        proof: new Uint8Array(64),
        consent: new Uint8Array(64),
      };
      expect(await stranger(stage, identityAt(3), invite, message)).toEqual([]);
    }
    expect(stage.admits).toEqual([]);
  });
});
