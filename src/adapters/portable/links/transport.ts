// Links over connections that the platform makes, introduced by the relay or by linked devices. It drives the
// link machine: events go in, one at a time, and the machine's decisions are carried out here.
//
// Invariants: the layers above see at most one link per device, `linkUp` before its first message and nothing
// after its `linkDown`; every `send` settles, at the latest when its link ends.

import { PoolRooms } from './pool-rooms.ts';
import type { EnvelopeKeys } from '../../../core/links/envelope.ts';
import type { LinkEffect, LinkInput } from '../../../core/links/link-events.ts';
import { newSessionId, SESSION_RANDOM_BYTES, type LinkId } from '../../../core/links/link-ids.ts';
import { LinkMachine } from '../../../core/links/link-machine.ts';
import { LinkTrials } from '../../../core/links/link-trials.ts';
import { SignalRouter, wayOf, type Route } from '../../../core/links/signal-router.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import { MachineDriver } from '../../../core/machine-driver.ts';
import type { DeviceId } from '../../../core/model/ids.ts';
import { roomTag } from '../../../core/pairing/pair-message.ts';
import { equalBytes } from '../../../core/model/bytes.ts';
import type { Lane, LinkPath, RelayState, Transport, TransportEvents } from '../../../core/transport-port.ts';
import type { Arrival } from '../../../core/wire/frames.ts';
import { Courier } from './courier.ts';
import { IceServers } from './ice-servers.ts';
import { Link, type LinkEvents } from './link.ts';
import type { SecondOptions } from './second-connection.ts';
import { SecondPlaces } from './second-places.ts';
import { newSlot, type Slot } from './slot.ts';
import { linkClosed } from './send-queue.ts';
import type { LinkTransportOptions } from './transport-options.ts';

/**
 * How long a goodbye has to leave the channel before its connection is ended, ms: one round trip on a poor
 * LAN.
 */
const GOODBYE_MS = 100;
/** Minimum time between two reports of a link's signs of life to the machine, ms. */
const HEARD_EVERY_MS = 500;

export class LinkTransport implements Transport {
  readonly #options: LinkTransportOptions;
  readonly #driver: MachineDriver<LinkInput, LinkEffect>;
  readonly #router: SignalRouter;
  readonly #courier: Courier;
  readonly #rooms: PoolRooms;
  readonly #ice: IceServers;
  readonly #slots = new Map<DeviceId, Slot>();
  readonly #trials = new LinkTrials();
  readonly #secondPlaces = new SecondPlaces();
  #events: TransportEvents | undefined;
  #isRelayUp = false;
  #isClosed = false;
  #unwatchPage = (): void => undefined;
  #unwire = (): void => undefined;

  constructor(options: LinkTransportOptions) {
    const { identity, poolId, signalingKey, random, clock, cryptography, onBug } = options;
    this.#options = options;
    const session = newSessionId(clock.wallMs(), random.bytes(SESSION_RANDOM_BYTES));
    this.#driver = new MachineDriver<LinkInput, LinkEffect>({
      machine: new LinkMachine({ device: identity.deviceId, session, ...options.door }),
      clock,
      tick: { kind: 'tick' },
      jumped: ({ byMs }) => ({ kind: 'clock-jumped', byMs }),
      perform: (effect) => {
        this.#trials.take(clock.monotonicMs(), effect);
        this.#perform(effect);
      },
    });
    this.#router = new SignalRouter(session);
    const rejected = (rejection: Rejection): void => this.#events?.rejected(rejection);
    this.#courier = new Courier(
      {
        keys: () => this.#rooms.keys,
        session,
        identity,
        cryptography,
        random,
        clock,
        router: this.#router,
        onBug,
      },
      {
        deliver: (letter, source) => {
          if (options.door?.accepts(letter.from) === false) return;
          this.#driver.input({ kind: 'letter', letter, way: wayOf(source) });
        },
        carry: (route, envelope, keys) => {
          this.#carry(route, envelope, keys);
        },
        rejected,
      },
    );
    const { relayUrl: url, WebSocket, Fallback } = options;
    this.#ice = new IceServers(url, clock);
    this.#rooms = new PoolRooms({ url, clock, random, WebSocket, Fallback }, { poolId, signalingKey });
  }

  open(events: TransportEvents): void {
    this.#events = events;
    this.#unwatchPage = this.#options.watchLife({
      leaving: () => {
        this.#driver.input({ kind: 'leave' });
      },
      freezing: () => {
        events.freezing?.();
      },
      woke: (frozenMs = 0) => {
        // Before any link is found to be dead: it may be this page's own doing.
        events.woke?.(frozenMs);
        this.wake();
      },
    });
    this.#rooms.open({
      state: (state) => {
        this.#relayState(state);
      },
      // Devices in the room hear our announce, and answer; a new one announces itself.
      enteredEarlier: (keys) => this.#courier.announceIn(keys),
      departed: (connection) => {
        for (const { device, session } of this.#router.dropConnection(connection)) {
          this.#driver.input({ kind: 'session-gone', device, session });
        }
      },
      envelope: (from, envelope, keys) => {
        this.#courier.take(envelope, { kind: 'relay', from }, [keys]);
      },
      rejected: (rejection) => {
        events.rejected(rejection);
      },
      ice: (offer) => this.#ice.offered(offer),
    });
    const unwire = this.#options.wires?.listen({
      wire: (wire, isUp) => {
        this.#driver.input({ kind: 'wire', up: this.#router.setWire(wire, isUp) });
      },
      envelope: (wire, room, envelope) => {
        const keys = this.#rooms.keys.filter(({ poolId }) => equalBytes(roomTag(poolId), room));
        if (keys.length > 0) this.#courier.take(envelope, { kind: 'wire', wire }, keys);
      },
    });
    this.#unwire = unwire ?? this.#unwire;
  }

  async send(
    device: DeviceId,
    parts: readonly Uint8Array[],
    lane: Lane,
    signal?: AbortSignal,
    isLast = false,
  ): Promise<void> {
    const slot = this.#slots.get(device);
    if (slot?.isUp !== true) throw linkClosed('there is none now');
    const sent = slot.link.send(parts, lane, signal);
    if (!isLast) this.#sent(device, slot);
    await sent;
  }

  closeLink(device: DeviceId, reason: string): void {
    this.#driver.input({ kind: 'close-device', device, reason });
  }

  doubtLink(device: DeviceId): void {
    const slot = this.#slots.get(device);
    if (slot !== undefined) this.#driver.input({ kind: 'doubted', device, link: slot.id });
  }

  silentForMs(device: DeviceId): number {
    const slot = this.#slots.get(device);
    if (slot?.isUp !== true) return 0;
    return this.#options.clock.monotonicMs() - slot.heardAtMs;
  }

  givesNothingForMs(device: DeviceId): number {
    const slot = this.#slots.get(device);
    return slot?.isUp === true ? this.#options.clock.monotonicMs() - slot.givenAtMs : 0;
  }

  followQueue(device: DeviceId): () => boolean {
    return this.#slots.get(device)?.link.followQueue() ?? (() => false);
  }

  move(current: EnvelopeKeys, earlier: readonly EnvelopeKeys[]): void {
    if (!this.#isClosed) this.#rooms.move(current, earlier);
  }

  trials(): ReturnType<LinkTrials['list']> {
    return this.#trials.list(this.#options.clock.monotonicMs());
  }

  wake(): void {
    if (this.#isClosed) return;
    this.#rooms.wake();
    this.#driver.input({ kind: 'wake' });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const hadLinks = [...this.#slots.values()].some(({ isUp }) => isUp);
    this.#driver.input({ kind: 'leave' });
    this.#isClosed = true;
    this.#unwatchPage();
    this.#unwire();
    this.#driver.stop();
    this.#courier.close();
    this.#rooms.close();
    if (!hadLinks) return;
    // The goodbyes of 'leave' are still on their way out.
    await new Promise<void>((resolve) => {
      this.#options.clock.after(2 * GOODBYE_MS, resolve);
    });
  }

  // The machine

  #perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'letter':
        if (effect.isRoutine === true && this.#isRelayUp && this.#router.areLinked(this.#rooms.others)) break;
        this.#courier.post(effect.to, effect.link, effect.body);
        break;
      case 'create':
        this.#create(effect);
        break;
      case 'apply':
        this.#slotOf(effect)?.link.apply(effect.signal);
        break;
      case 'destroy':
        this.#destroy(effect);
        break;
      case 'ping':
        this.#ping(effect);
        break;
      case 'link-up':
        this.#linkUp(effect);
        break;
      case 'link-down':
        this.#router.dropNeighbour(effect.device);
        this.#events?.linkDown(effect.device, effect.reason, effect.isLeft);
        break;
      case 'twin':
        this.#events?.rejected({ kind: 'twin' });
        break;
      case 'refused':
        this.#events?.rejected({ kind: 'letter', detail: effect.reason });
        break;
    }
  }

  // Links

  #create({ device, link, initiator }: Extract<LinkEffect, { kind: 'create' }>): void {
    let made: Link;
    try {
      const servers = this.#ice.for(device, this.#rooms.otherCount);
      const connect: LinkTransportOptions['connect'] = (isFirst, events) =>
        this.#options.connect(isFirst, events, servers);
      const events: LinkEvents = {
        signal: (signal) => this.#driver.input({ kind: 'signal', device, link, signal }),
        connected: () => this.#driver.input({ kind: 'connected', device, link }),
        closed: (reason) => this.#driver.input({ kind: 'closed', device, link, reason }),
        heard: () => this.#heard(device, link),
        doubted: () => this.#driver.input({ kind: 'doubted', device, link }),
        path: (path) => this.#found(device, link, path),
        given: () => {
          const slot = this.#slotOf({ device, link });
          if (slot !== undefined) slot.givenAtMs = this.#options.clock.monotonicMs();
        },
        arrival: (arrival) => {
          this.#arrive(device, link, arrival);
        },
        misbehaved: (rejection, reason) => {
          this.#events?.rejected(rejection);
          this.#driver.input({ kind: 'close-device', device, reason });
        },
      };
      made = new Link(device, initiator, connect, this.#options.memory, events, this.#second());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#events?.rejected({ kind: 'no-connection', detail: reason });
      this.#driver.input({ kind: 'closed', device, link, reason });
      return;
    }
    this.#slots.set(device, newSlot(link, made));
  }

  /** They go directly or not at all. */
  #second(): SecondOptions | undefined {
    const { mayUseSecond, connect, clock } = this.#options;
    return mayUseSecond === true ? { connect, clock, places: this.#secondPlaces } : undefined;
  }

  #ping(effect: Extract<LinkEffect, { kind: 'ping' }>): void {
    const slot = this.#slotOf(effect);
    if (slot === undefined) return;
    // The pong counts even if something else was heard a moment ago.
    slot.isExpected = true;
    slot.link.ping();
  }

  #linkUp({ device, session, link }: Extract<LinkEffect, { kind: 'link-up' }>): void {
    const slot = this.#slotOf({ device, link });
    if (slot === undefined) return;
    slot.isUp = true;
    this.#router.addNeighbour(device, session);
    this.#events?.linkUp(device);
  }

  #destroy({ device, link, goodbye }: Extract<LinkEffect, { kind: 'destroy' }>): void {
    const slot = this.#slotOf({ device, link });
    if (slot === undefined) return;
    this.#slots.delete(device);
    if (!slot.isUp) this.#ice.failed(device);
    if (goodbye) slot.link.queue.sendLinkFrame({ kind: 'bye' });
    slot.link.close('it was ended');
    if (!goodbye) {
      slot.link.destroy();
      return;
    }
    this.#options.clock.after(GOODBYE_MS, () => {
      slot.link.destroy();
    });
  }

  #found(device: DeviceId, link: LinkId, path: LinkPath): void {
    if (this.#slotOf({ device, link })?.isUp !== true) return;
    this.#ice.found(device, path);
    this.#events?.linkPath?.(device, path);
  }

  /** Undefined when the connection was ended or displaced. */
  #slotOf({ device, link }: { readonly device: DeviceId; readonly link: LinkId }): Slot | undefined {
    const slot = this.#slots.get(device);
    return slot?.id === link ? slot : undefined;
  }

  #sent(device: DeviceId, slot: Slot): void {
    if (slot.isExpected) return;
    slot.isExpected = true;
    this.#driver.input({ kind: 'sent', device, link: slot.id });
  }

  #heard(device: DeviceId, link: LinkId): void {
    const slot = this.#slotOf({ device, link });
    const nowMs = this.#options.clock.monotonicMs();
    if (slot === undefined || (!slot.isExpected && nowMs < slot.heardAtMs + HEARD_EVERY_MS)) return;
    const { isWaiting } = slot.link;
    if (isWaiting && nowMs < slot.heardAtMs + HEARD_EVERY_MS) return;
    slot.heardAtMs = nowMs;
    slot.isExpected = isWaiting;
    this.#driver.input({ kind: 'heard', device, link, isWaiting });
  }

  #arrive(device: DeviceId, link: LinkId, arrival: Arrival): void {
    // A link that is not up cannot speak: the machine has ended it, and its last frames are still arriving.
    if (this.#slotOf({ device, link })?.isUp !== true) return;
    switch (arrival.kind) {
      case 'message':
        this.#events?.message(device, arrival.message);
        break;
      case 'signal':
        this.#courier.take(
          arrival.envelope,
          { kind: 'link', device, hopsLeft: arrival.hopsLeft },
          this.#rooms.keys,
        );
        break;
      case 'bye':
        this.#driver.input({ kind: 'bye', device, link });
        break;
      case 'ping':
      case 'pong':
        break;
    }
  }

  // Signaling

  #relayState(state: RelayState): void {
    const isUp = state === 'connected';
    if (isUp !== this.#isRelayUp) {
      this.#isRelayUp = isUp;
      this.#router.setRelay(isUp);
      this.#driver.input({ kind: 'relay', up: isUp });
    }
    this.#events?.relayState(state);
  }

  #carry(route: Route, envelope: Uint8Array, keys: EnvelopeKeys): void {
    // A letter that a jammed or lost path refuses is like one lost on the way: the machine tries again.
    if (route.kind === 'relay') this.#rooms.forward(route.to, envelope, keys);
    else if (route.kind === 'wire') this.#options.wires?.send(route.wire, keys.poolId, envelope);
    else {
      const { device, hopsLeft } = route;
      const slot = this.#slots.get(device);
      if (slot?.isUp === true) slot.link.queue.sendLinkFrame({ kind: 'signal', hopsLeft, envelope });
    }
  }
}
