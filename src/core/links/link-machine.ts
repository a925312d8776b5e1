// Which devices this one is linked with, and how each link is made: one machine for all links of a device.
//
// Of two devices the one with the smaller id initiates; the other prods it with an announce. So offers never
// cross. Invariants: at most one attempt or link for each device, and MAX_LINK_COUNT in all. `link-up` and
// `link-down` of a device alternate. A later session of a device (it reloaded) displaces an earlier one,
// never the reverse; of one session's offers the later displaces the earlier. The device that closes a link
// tries again; a device that was told goodbye waits to be asked. No letter of one device changes anything
// about the link with another. Failing connections are bounded, for each device and for all together
// (attempt-budget.ts). When all links are in use, the device met last gives way to one met earlier. Others
// wait for a place, and are called when one becomes free (link-room.ts).

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT, MAX_LINK_COUNT } from '../model/limits.ts';
import { Announcing } from './announcing.ts';
import { AttemptBudget } from './attempt-budget.ts';
import type { OpenedLetter, SignalBody } from './envelope.ts';
import type { ConnectionSignal, LinkEffect, LinkInput, Way } from './link-events.ts';
import { isLinkIdOf, newcomerMark, newLinkId, type LinkId, type SessionId } from './link-ids.ts';
import { LinkRoom } from './link-room.ts';
import { expectSign, heard, newNeighbour, type Active, type Neighbour } from './neighbour.ts';
import {
  ATTEMPT_TIMEOUT_MS,
  backoffMs,
  CHECK_MS,
  DEAD_AFTER_MS,
  GIVE_UP_AFTER_COUNT,
  jitterOf,
  MAX_CANDIDATE_COUNT,
  OVERSLEPT_MS,
  PING_AFTER_MS,
  STABLE_AFTER_MS,
  TWIN_AFTER_MS,
  WAKE_CHECK_MS,
} from './link-timing.ts';
import type { MonotonicMs } from '../model/time.ts';

/** While there is no room for a device, it waits as after this many failures. */
const NO_ROOM_COUNT = 3;

export interface LinkMachineOptions {
  readonly device: DeviceId;
  readonly session: SessionId;
  /** Default MAX_LINK_COUNT. */
  readonly maxLinkCount?: number | undefined;
  /** Default false. At a door: this device wants to be let in, and has no use for others that do. */
  readonly isNewcomer?: boolean | undefined;
}

export class LinkMachine {
  readonly #device: DeviceId;
  readonly #session: SessionId;
  readonly #isNewcomer: boolean;
  readonly #room: LinkRoom;
  readonly #neighbours = new Map<DeviceId, Neighbour>();
  readonly #budget = new AttemptBudget();
  #relayUp = false;
  #wireUp = false;
  #hasLeft = false;
  #beganAtMs: MonotonicMs | undefined;
  /** The last session of another page with this device's identity. */
  #twin: SessionId | undefined;
  readonly #announcing: Announcing;
  #linkCounter = 0;
  /** Links and attempts that ended in this step. */
  #endedCount = 0;
  readonly #jitter: () => number;
  /** The last result of `nextDeadlineMs`. */
  #plannedMs = Number.POSITIVE_INFINITY;
  #effects: LinkEffect[] = [];

  constructor({ device, session, maxLinkCount = MAX_LINK_COUNT, isNewcomer = false }: LinkMachineOptions) {
    this.#device = device;
    this.#isNewcomer = isNewcomer;
    this.#room = new LinkRoom(this.#neighbours, this.#budget, maxLinkCount);
    this.#session = session;
    // The session's last bytes are random: a seed that no two devices share.
    this.#jitter = jitterOf(Number.parseInt(session.slice(-8), 16));
    this.#announcing = new Announcing(this.#jitter);
  }

  handle(nowMs: MonotonicMs, input: LinkInput): LinkEffect[] {
    this.#effects = [];
    this.#beganAtMs ??= nowMs;
    if (input.kind === 'relay') this.#relayUp = input.up;
    if (input.kind === 'wire') this.#wireUp = input.up;
    if (input.kind === 'wake') this.#hasLeft = false;
    const jumpedMs = input.kind === 'clock-jumped' ? input.byMs : 0;
    if (Math.max(nowMs - this.#plannedMs, jumpedMs) > OVERSLEPT_MS) this.#checkAll(nowMs, 'slept');
    if (!this.#hasLeft) this.#take(nowMs, input);
    if (!this.#hasLeft) this.#meetDeadlines(nowMs);
    if (!this.#hasLeft) this.#callWaiting(nowMs);
    this.#plannedMs = this.#hasLeft ? Number.POSITIVE_INFINITY : this.#earliestMs();
    return this.#effects;
  }

  /** When to call `handle` with 'tick' at the latest; Infinity when nothing is due. */
  nextDeadlineMs(): MonotonicMs {
    return this.#plannedMs;
  }

  /** Devices with which a link is up. */
  linkedDevices(): DeviceId[] {
    return [...this.#neighbours.values()].flatMap((neighbour) =>
      neighbour.phase.kind === 'up' ? [neighbour.device] : [],
    );
  }

  #take(nowMs: MonotonicMs, input: LinkInput): void {
    switch (input.kind) {
      case 'relay':
        if (input.up) this.#offerAgain(nowMs);
        if (input.up) this.#tryAgainSoon(nowMs);
        break;
      case 'wire':
        if (input.up) this.#tryAgainSoon(nowMs);
        break;
      case 'session-gone':
        this.#takeDeparture(nowMs, input.device, input.session);
        break;
      case 'letter':
        this.#takeLetter(nowMs, input.letter, input.way);
        break;
      case 'signal':
        this.#withActive(input, (neighbour) => {
          this.#send(neighbour, input.link, input.signal);
        });
        break;
      case 'connected':
        this.#withActive(input, (neighbour, phase) => {
          if (phase.kind === 'linking') this.#linkUp(nowMs, neighbour, phase.link);
        });
        break;
      case 'closed':
        this.#withActive(input, (neighbour) => {
          this.#fail(nowMs, neighbour, input.reason);
        });
        break;
      case 'sent':
        this.#withActive(input, (_neighbour, phase) => {
          if (phase.kind === 'up' && phase.deadAtMs === Number.POSITIVE_INFINITY) expectSign(nowMs, phase);
        });
        break;
      case 'doubted':
        this.#withActive(input, (neighbour, phase) => {
          if (phase.kind !== 'up' || phase.deadAtMs > nowMs + CHECK_MS) this.#check(nowMs, neighbour);
        });
        break;
      case 'heard':
        this.#withActive(input, (neighbour, phase) => {
          if (phase.kind !== 'up') return;
          heard(nowMs, phase, input.isWaiting === true);
          if (nowMs - phase.sinceMs >= STABLE_AFTER_MS) this.#budget.lasted(neighbour.device);
        });
        break;
      case 'bye':
        this.#withActive(input, (neighbour) => {
          this.#takeGoodbye(nowMs, neighbour);
        });
        break;
      case 'close-device':
        this.#closeDevice(nowMs, input.device, input.reason);
        break;
      case 'wake':
        this.#checkAll(nowMs, 'woke');
        break;
      case 'leave':
        this.#leave(nowMs);
        break;
      case 'clock-jumped':
      case 'tick':
        break;
    }
  }

  // Letters

  #takeLetter(nowMs: MonotonicMs, letter: OpenedLetter, way: Way): void {
    if (letter.from === this.#device) {
      this.#meetTwin(nowMs, letter);
      return;
    }
    if (this.#isNewcomer && letter.link === newcomerMark(letter.fromSession)) return;
    const opensDoor = letter.body.kind === 'announce' || letter.body.kind === 'offer';
    const neighbour = this.#peerOf(nowMs, letter, way, opensDoor);
    if (neighbour === undefined) return;
    neighbour.way = way;
    switch (letter.body.kind) {
      case 'announce':
        this.#takeAnnounce(nowMs, neighbour, letter);
        break;
      case 'offer':
        this.#takeOffer(nowMs, neighbour, letter, letter.body);
        break;
      case 'answer':
        this.#takeAnswer(neighbour, letter.link, letter.body);
        break;
      case 'candidate':
        this.#takeCandidate(neighbour, letter.link, letter.body);
        break;
      case 'bye':
        if (neighbour.phase.kind !== 'idle' && neighbour.phase.link === letter.link)
          this.#takeGoodbye(nowMs, neighbour);
        break;
    }
  }

  /**
   * Two pages with one copied profile: each is told, this one now, and the other by an announce. Letters of
   * this device's previous page may still be under way when this session begins: those prove nothing.
   */
  #meetTwin(nowMs: MonotonicMs, letter: OpenedLetter): void {
    if (nowMs - (this.#beganAtMs ?? nowMs) < TWIN_AFTER_MS || this.#twin === letter.fromSession) return;
    this.#twin = letter.fromSession;
    this.#effects.push({ kind: 'twin' });
    // By then it is old enough to take this page for another.
    this.#announcing.prompt(nowMs + 2 * TWIN_AFTER_MS);
  }

  /** The letter's device as we know it, in the letter's session; undefined if that is an earlier one. */
  #peerOf(nowMs: MonotonicMs, letter: OpenedLetter, way: Way, mayCreate: boolean): Neighbour | undefined {
    const known = this.#neighbours.get(letter.from);
    if (known === undefined) return mayCreate ? this.#newNeighbour(nowMs, letter, way) : undefined;
    if (known.session === letter.fromSession) {
      known.isGone = false;
      return known;
    }
    if (known.phase.kind !== 'idle') {
      if (letter.fromSession < known.session) {
        // Replayed or late; or the device reloaded after its clock was set back, and then the link is dead.
        known.heir = letter.fromSession;
        this.#check(nowMs, known);
        return undefined;
      }
      this.#drop(nowMs, known, 'the device started anew', false);
    }
    this.#adopt(nowMs, known, letter.fromSession);
    return known;
  }

  #adopt(nowMs: MonotonicMs, neighbour: Neighbour, session: SessionId): void {
    neighbour.session = session;
    neighbour.isGone = false;
    neighbour.heir = undefined;
    neighbour.offerSeq = -1;
    neighbour.failureCount = 0;
    neighbour.isPutOff = false;
    neighbour.phase = { kind: 'idle', retryAtMs: Math.max(nowMs, neighbour.refuseUntilMs) };
  }

  #newNeighbour(nowMs: MonotonicMs, letter: OpenedLetter, way: Way): Neighbour | undefined {
    if (this.#neighbours.size >= MAX_DEVICE_COUNT) {
      const idles = [...this.#neighbours.values()].filter((neighbour) => neighbour.phase.kind === 'idle');
      const idle = idles.find((neighbour) => !this.#budget.hasMet(neighbour.device)) ?? idles[0];
      if (idle === undefined) return undefined;
      this.#neighbours.delete(idle.device);
    }
    const neighbour = newNeighbour(nowMs, letter, way);
    this.#neighbours.set(letter.from, neighbour);
    return neighbour;
  }

  #takeAnnounce(nowMs: MonotonicMs, neighbour: Neighbour, letter: OpenedLetter): void {
    if (neighbour.phase.kind === 'up' && letter.toSession !== null) {
      // It asks for a link that we believe we have: perhaps ours is dead and only we do not know yet.
      if (neighbour.phase.isWaking) this.#fail(nowMs, neighbour, 'the link ended while this device slept');
      else this.#check(nowMs, neighbour);
    } else if (neighbour.phase.kind === 'idle') {
      // It is alive, so the wait need not grow; but a device that announces in a loop must not make us try in
      // a loop.
      const isCalled = neighbour.isPutOff && letter.toSession !== null;
      const isSoon = isCalled || neighbour.failureCount === 0;
      const soonMs = isSoon ? nowMs : nowMs + backoffMs(1, this.#jitter());
      const retryAtMs = Math.max(neighbour.refuseUntilMs, Math.min(neighbour.phase.retryAtMs, soonMs));
      neighbour.failureCount = Math.min(neighbour.failureCount, GIVE_UP_AFTER_COUNT - 1);
      neighbour.phase.retryAtMs = retryAtMs;
    }
  }

  #takeOffer(nowMs: MonotonicMs, neighbour: Neighbour, letter: OpenedLetter, signal: ConnectionSignal): void {
    if (this.#initiates(neighbour)) {
      this.#effects.push({ kind: 'refused', reason: 'an offer from a device that should wait for one' });
      return;
    }
    if (letter.seq <= neighbour.offerSeq) return;
    neighbour.offerSeq = letter.seq;
    if (this.#isOfAnother(letter)) {
      this.#effects.push({
        kind: 'refused',
        reason: 'an offer that names a link with another device',
      });
      return;
    }
    if (!this.#budget.hasTurn(nowMs, neighbour.device)) {
      // Not even refused: a reply would cost as much as the offer did.
      this.#effects.push({ kind: 'refused', reason: 'more offers than a device needs' });
      return;
    }
    if (
      nowMs < neighbour.refuseUntilMs ||
      !this.#hasPlaceFor(neighbour) ||
      !this.#takeAttempt(nowMs, neighbour)
    ) {
      this.#send(neighbour, letter.link, { kind: 'bye' });
      return;
    }
    if (neighbour.phase.kind !== 'idle') this.#drop(nowMs, neighbour, 'the device offered a new link', false);
    this.#begin(nowMs, neighbour, letter.link, false);
    this.#effects.push({ kind: 'apply', device: neighbour.device, link: letter.link, signal });
  }

  #takeAnswer(neighbour: Neighbour, link: LinkId, signal: ConnectionSignal): void {
    if (neighbour.phase.kind !== 'idle' && neighbour.phase.link === link) {
      if (neighbour.phase.kind !== 'linking' || !this.#initiates(neighbour)) return;
      neighbour.phase.isUnanswered = false;
      this.#effects.push({ kind: 'apply', device: neighbour.device, link, signal });
    } else {
      // The answer to an attempt that we gave up: its other end need not wait for the timeout.
      this.#send(neighbour, link, { kind: 'bye' });
    }
  }

  #takeCandidate(neighbour: Neighbour, link: LinkId, signal: ConnectionSignal): void {
    if (neighbour.phase.kind !== 'linking' || neighbour.phase.link !== link) return;
    neighbour.phase.candidateCount += 1;
    if (neighbour.phase.candidateCount > MAX_CANDIDATE_COUNT) return;
    this.#effects.push({ kind: 'apply', device: neighbour.device, link, signal });
  }

  #takeGoodbye(nowMs: MonotonicMs, neighbour: Neighbour): void {
    if (neighbour.phase.kind === 'up') {
      this.#drop(nowMs, neighbour, 'the device said goodbye', false, true);
      this.#neighbours.delete(neighbour.device);
    } else {
      neighbour.isPutOff = neighbour.phase.kind === 'linking' && neighbour.phase.isUnanswered;
      this.#fail(nowMs, neighbour, 'the device gave the attempt up');
    }
  }

  // Links

  #begin(nowMs: MonotonicMs, neighbour: Neighbour, link: LinkId, initiator: boolean): void {
    if (neighbour.phase.kind === 'idle') this.#makeRoomFor(nowMs, neighbour);
    const deadlineMs = nowMs + ATTEMPT_TIMEOUT_MS;
    neighbour.isPutOff = false;
    neighbour.phase = { kind: 'linking', link, deadlineMs, candidateCount: 0, isUnanswered: initiator };
    this.#effects.push({ kind: 'create', device: neighbour.device, link, initiator });
  }

  #linkUp(nowMs: MonotonicMs, neighbour: Neighbour, link: LinkId): void {
    neighbour.heir = undefined;
    this.#budget.giveBack(neighbour.device);
    neighbour.phase = {
      kind: 'up',
      link,
      sinceMs: nowMs,
      pingAtMs: nowMs + PING_AFTER_MS,
      deadAtMs: nowMs + DEAD_AFTER_MS,
      isWaking: false,
    };
    this.#effects.push({ kind: 'link-up', device: neighbour.device, session: neighbour.session, link });
    // With no relay to ask, a neighbour's neighbours are found through it.
    if (!this.#relayUp) this.#tryAgainSoon(nowMs);
  }

  /** Ends what is under way. The caller sets the next phase. */
  #drop(nowMs: MonotonicMs, neighbour: Neighbour, reason: string, goodbye: boolean, isLeft = false): void {
    const { phase } = neighbour;
    if (phase.kind === 'idle') return;
    this.#announcing.linkEnded();
    this.#endedCount += 1;
    if (phase.kind === 'up') this.#budget.ended(nowMs, neighbour.device, nowMs - phase.sinceMs);
    this.#effects.push({ kind: 'destroy', device: neighbour.device, link: phase.link, goodbye });
    if (phase.kind === 'up') {
      const { device } = neighbour;
      this.#effects.push({ kind: 'link-down', device, link: phase.link, reason, isLeft });
    }
  }

  /** The attempt or link failed: tell the other side, and try again after a wait. */
  #fail(nowMs: MonotonicMs, neighbour: Neighbour, reason: string): void {
    const { phase } = neighbour;
    if (phase.kind === 'idle') return;
    this.#send(neighbour, phase.link, { kind: 'bye' });
    this.#drop(nowMs, neighbour, reason, false);
    if (neighbour.heir !== undefined) {
      this.#adopt(nowMs, neighbour, neighbour.heir);
      return;
    }
    if (neighbour.isGone) {
      this.#neighbours.delete(neighbour.device);
      return;
    }
    const wasStable = phase.kind === 'up' && nowMs - phase.sinceMs >= STABLE_AFTER_MS;
    neighbour.failureCount = wasStable ? 1 : neighbour.failureCount + 1;
    const isWaking = phase.kind === 'up' && phase.isWaking;
    const waitMs = isWaking ? 0 : backoffMs(neighbour.failureCount, this.#jitter());
    neighbour.phase = { kind: 'idle', retryAtMs: nowMs + waitMs };
  }

  #closeDevice(nowMs: MonotonicMs, device: DeviceId, reason: string): void {
    const neighbour = this.#neighbours.get(device);
    if (neighbour === undefined || neighbour.phase.kind === 'idle') return;
    this.#drop(nowMs, neighbour, reason, true);
    neighbour.failureCount += 1;
    neighbour.refuseUntilMs = nowMs + backoffMs(neighbour.failureCount + 2, this.#jitter());
    neighbour.phase = { kind: 'idle', retryAtMs: neighbour.refuseUntilMs };
  }

  #leave(nowMs: MonotonicMs): void {
    for (const neighbour of this.#neighbours.values()) this.#drop(nowMs, neighbour, 'this device left', true);
    this.#neighbours.clear();
    this.#hasLeft = true;
  }

  /** The relay's report is a hint: a link that is up is checked, and stays if it answers. */
  #takeDeparture(nowMs: MonotonicMs, device: DeviceId, session: SessionId): void {
    const neighbour = this.#neighbours.get(device);
    if (neighbour === undefined || neighbour.session !== session) return;
    if (neighbour.phase.kind === 'idle') {
      this.#neighbours.delete(device);
      return;
    }
    neighbour.isGone = true;
    if (neighbour.phase.kind === 'up') this.#check(nowMs, neighbour);
  }

  // Time

  /** We may have missed a while: silence before now proves nothing, and what we waited for may be back. */
  #checkAll(nowMs: MonotonicMs, why: 'slept' | 'woke'): void {
    for (const neighbour of this.#neighbours.values()) {
      const { phase } = neighbour;
      if (phase.kind === 'up') {
        if (phase.isWaking && why === 'woke') continue;
        if (why === 'slept') phase.deadAtMs = Number.POSITIVE_INFINITY;
        // A page that is too busy to hear would only lose links that it has just made.
        phase.isWaking = nowMs - phase.sinceMs >= STABLE_AFTER_MS;
        this.#check(nowMs, neighbour);
      } else if (phase.kind === 'linking' && why === 'slept') {
        phase.deadlineMs = nowMs + CHECK_MS;
      }
    }
    this.#tryAgainSoon(nowMs);
  }

  #check(nowMs: MonotonicMs, { device, phase }: Neighbour): void {
    if (phase.kind !== 'up') return;
    this.#effects.push({ kind: 'ping', device, link: phase.link });
    phase.pingAtMs = nowMs + PING_AFTER_MS;
    phase.deadAtMs = Math.min(phase.deadAtMs, nowMs + (phase.isWaking ? WAKE_CHECK_MS : CHECK_MS));
  }

  /** The relay is back: offers that were handed to its dead connection never arrived. */
  #offerAgain(nowMs: MonotonicMs): void {
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.phase.kind !== 'linking' || !neighbour.phase.isUnanswered) continue;
      this.#drop(nowMs, neighbour, 'the offer may be lost', false);
      neighbour.phase = { kind: 'idle', retryAtMs: nowMs };
    }
  }

  /** Announces, and tries every idle device, as soon as envelopes can be sent. */
  #tryAgainSoon(nowMs: MonotonicMs): void {
    this.#announcing.prompt(nowMs);
    for (const neighbour of this.#neighbours.values()) {
      if (neighbour.phase.kind !== 'idle') continue;
      neighbour.phase.retryAtMs = Math.max(
        neighbour.refuseUntilMs,
        Math.min(neighbour.phase.retryAtMs, nowMs),
      );
    }
  }

  #meetDeadlines(nowMs: MonotonicMs): void {
    for (const neighbour of this.#neighbours.values()) {
      const { phase } = neighbour;
      if (phase.kind === 'up') {
        if (phase.deadAtMs <= nowMs) this.#fail(nowMs, neighbour, 'nothing was heard from the device');
        else if (phase.pingAtMs <= nowMs) {
          this.#effects.push({ kind: 'ping', device: neighbour.device, link: phase.link });
          phase.pingAtMs = nowMs + PING_AFTER_MS;
        }
      } else if (phase.kind === 'linking') {
        if (phase.deadlineMs <= nowMs) this.#fail(nowMs, neighbour, 'the attempt took too long');
      } else if (phase.retryAtMs <= nowMs && this.#canSignal()) {
        this.#tryLink(nowMs, neighbour);
      }
    }
    if (this.#announcing.dueMs <= nowMs && this.#canSignal()) this.#announce(nowMs);
  }

  /** One for each place that became free: whoever does not come keeps none, and tries again by itself. */
  #callWaiting(nowMs: MonotonicMs): void {
    for (; this.#endedCount > 0; this.#endedCount -= 1) {
      const next = this.#canSignal() ? this.#room.nextWaiting() : undefined;
      if (next !== undefined && next.refuseUntilMs <= nowMs) this.#tryLink(nowMs, next);
    }
  }

  #tryLink(nowMs: MonotonicMs, neighbour: Neighbour): void {
    if (neighbour.failureCount >= GIVE_UP_AFTER_COUNT) {
      this.#neighbours.delete(neighbour.device);
    } else if (!this.#hasPlaceFor(neighbour) || !this.#mayTry(nowMs, neighbour)) {
      neighbour.phase = { kind: 'idle', retryAtMs: nowMs + backoffMs(NO_ROOM_COUNT, this.#jitter()) };
    } else if (this.#initiates(neighbour)) {
      this.#begin(nowMs, neighbour, this.#newLink(), true);
    } else {
      this.#send(neighbour, this.#announceId(), { kind: 'announce' });
      neighbour.failureCount += 1;
      neighbour.phase = {
        kind: 'idle',
        retryAtMs: nowMs + backoffMs(neighbour.failureCount, this.#jitter()),
      };
    }
  }

  #announce(nowMs: MonotonicMs): void {
    const isRoutine = this.#announcing.announced(nowMs);
    const letter = {
      kind: 'letter',
      to: null,
      link: this.#announceId(),
      body: { kind: 'announce' },
    } as const;
    this.#effects.push(isRoutine ? { ...letter, isRoutine } : letter);
  }

  #earliestMs(): number {
    const canSignal = this.#canSignal();
    let earliestMs = canSignal ? this.#announcing.dueMs : Number.POSITIVE_INFINITY;
    for (const { phase } of this.#neighbours.values()) {
      if (phase.kind === 'up') earliestMs = Math.min(earliestMs, phase.pingAtMs, phase.deadAtMs);
      else if (phase.kind === 'linking') earliestMs = Math.min(earliestMs, phase.deadlineMs);
      else if (canSignal) earliestMs = Math.min(earliestMs, phase.retryAtMs);
    }
    return earliestMs;
  }

  // Facts

  #initiates(neighbour: Neighbour): boolean {
    return this.#device < neighbour.device;
  }

  /** By the relay, over a pairing's wire, or over the mesh. */
  #canSignal(): boolean {
    return (
      this.#relayUp ||
      this.#wireUp ||
      [...this.#neighbours.values()].some((neighbour) => neighbour.phase.kind === 'up')
    );
  }

  #mayTry(nowMs: MonotonicMs, neighbour: Neighbour): boolean {
    if (this.#initiates(neighbour)) return this.#takeAttempt(nowMs, neighbour);
    // A prod makes no connection here, so it counts only for its device.
    return this.#room.attemptRoom(neighbour) > 0 && this.#budget.takeTurn(nowMs, neighbour.device);
  }

  #takeAttempt(nowMs: MonotonicMs, neighbour: Neighbour): boolean {
    return this.#budget.take(nowMs, neighbour, this.#room.attemptRoom(neighbour));
  }

  /** If not, it waits for one. */
  #hasPlaceFor(neighbour: Neighbour): boolean {
    const hasPlace = this.#room.hasRoomFor(neighbour);
    if (!hasPlace) this.#room.wait(neighbour);
    return hasPlace;
  }

  #makeRoomFor(nowMs: MonotonicMs, neighbour: Neighbour): void {
    const other = this.#room.isFull ? this.#room.whoGivesWay(neighbour) : undefined;
    if (other !== undefined) this.#closeDevice(nowMs, other.device, 'it gave way to a device met earlier');
  }

  /** Whether an offer's id is in use with another device and was not made by the offering session. */
  #isOfAnother({ from, fromSession, link }: OpenedLetter): boolean {
    const isUsed = [...this.#neighbours.values()].some(
      ({ device, phase }) => device !== from && phase.kind !== 'idle' && phase.link === link,
    );
    // Another device may guess an id and use it first: the session that made it can still use it.
    return isUsed && !isLinkIdOf(fromSession, link);
  }

  #withActive(
    { device, link }: { readonly device: DeviceId; readonly link: LinkId },
    act: (neighbour: Neighbour, phase: Active) => void,
  ): void {
    const neighbour = this.#neighbours.get(device);
    if (neighbour === undefined || neighbour.phase.kind === 'idle' || neighbour.phase.link !== link) return;
    act(neighbour, neighbour.phase);
  }

  #send(neighbour: Neighbour, link: LinkId, body: SignalBody): void {
    this.#effects.push({
      kind: 'letter',
      to: { device: neighbour.device, session: neighbour.session },
      link,
      body,
    });
  }

  #announceId(): LinkId {
    return this.#isNewcomer ? newcomerMark(this.#session) : this.#newLink();
  }

  #newLink(): LinkId {
    this.#linkCounter += 1;
    return newLinkId(this.#session, this.#linkCounter);
  }
}
