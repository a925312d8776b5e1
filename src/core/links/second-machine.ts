// The second connection of one link (docs/decisions/0097): when it is opened and ended, and which messages
// the other end has counted. One end, which offered the link, opens each; the other may ask for it.
//
// Invariants: a link has at most one second connection at a time. Each end says `over` once for each, with
// the number of whole messages that came to it, after its own end is gone; the next one waits for both. So
// the sender knows of every message whether it came: those that were not counted, and no others, go over the
// link instead. A frame that no honest end sends at this point is refused, which ends the link.

import type { MonotonicMs } from '../model/time.ts';
import type { ConnectionSignal } from './link-events.ts';
import { ATTEMPT_TIMEOUT_MS, MAX_CANDIDATE_COUNT } from './link-timing.ts';
import type { SecondFrame } from './second-frames.ts';
import {
  IDLE_BEYOND_MS,
  LATE_LOOK_COUNT,
  LOOK_EVERY_MS,
  MAX_REST_MS,
  MIN_REST_MS,
  OPEN_AFTER_BYTES,
  OVER_LOOK_COUNT,
  REST_MS,
  SECOND_IDLE_MS,
  SHORT_REST_MS,
  STILL_LOOK_COUNT,
  WAITED_WITHIN_MS,
} from './second-timing.ts';

/** An offer or answer, and candidates. */
const MAX_SIGNAL_COUNT = 1 + MAX_CANDIDATE_COUNT;

export type SecondInput =
  /** The channel's own protocol says that the end which offered it knows second connections. */
  | { readonly kind: 'able' }
  /** How the bytes of the link go. */
  | { readonly kind: 'path'; readonly isDirect: boolean }
  /** A message of the bulk lane waits behind others. `hasPlace`: this device may have one more connection. */
  | { readonly kind: 'waits'; readonly byteCount: number; readonly hasPlace: boolean }
  /** A frame came over the link. */
  | { readonly kind: 'frame'; readonly frame: SecondFrame; readonly hasPlace: boolean }
  // Of the second connection itself
  | { readonly kind: 'signal'; readonly signal: ConnectionSignal }
  | { readonly kind: 'connected' }
  /** It failed, closed by itself, or its platform doubts that anybody is there. */
  | { readonly kind: 'closed' }
  /** A message was given to it. */
  | { readonly kind: 'given' }
  /** One of them was written to its last byte. */
  | { readonly kind: 'written' }
  /** One that had not begun was taken back. */
  | { readonly kind: 'withdrawn' }
  /** A part of a message came over it. */
  | { readonly kind: 'part' }
  /** A whole message came over it. */
  | { readonly kind: 'came' }
  | { readonly kind: 'tick'; readonly flow: SecondFlow };

/** Bytes since the link began, or the second connection. */
export interface SecondFlow {
  /** What has left the queue of the second. */
  readonly goneBytes: number;
  /** The same of the link, and what will have left it once all that waits now has. */
  readonly linkGoneBytes: number;
  readonly linkEndBytes: number;
}

export type SecondEffect =
  /** To send over the link. */
  | { readonly kind: 'frame'; readonly frame: SecondFrame }
  | { readonly kind: 'create'; readonly initiator: boolean }
  | { readonly kind: 'apply'; readonly signal: ConnectionSignal }
  /** Nothing that comes from it counts any more. What was given and not wholly written goes over the link. */
  | { readonly kind: 'destroy' }
  /** The other end has the oldest `count` of the written messages. */
  | { readonly kind: 'counted'; readonly count: number }
  /** The other end never gets the other written messages this way: they go over the link. */
  | { readonly kind: 'resend' }
  /** The other end broke the rules. */
  | { readonly kind: 'refused'; readonly detail: string };

interface Open {
  readonly kind: 'opening' | 'up';
  readonly number: number;
  readonly sinceMs: MonotonicMs;
}

type State =
  | { readonly kind: 'none' }
  | Open
  /** This end is gone, and said so; the other end has not. */
  | { readonly kind: 'over'; readonly number: number };

export class SecondMachine {
  readonly #isOpener: boolean;
  #state: State = { kind: 'none' };
  /** Whether the other end knows these frames. */
  #isAble = false;
  #isDirect = false;
  #lastNumber = 0;
  #failureCount = 0;
  #endedAtMs: MonotonicMs = -Infinity;
  #restsUntilMs: MonotonicMs = -Infinity;
  #waitedBytes = 0;
  #waitedAtMs: MonotonicMs = -Infinity;
  // Of the last connection, which may be the present one
  #signalCount = 0;
  #usedAtMs: MonotonicMs = 0;
  #givenCount = 0;
  #writtenCount = 0;
  #countedCount = 0;
  #cameCount = 0;
  #ownSignalCount = 0;
  #goneBytes = 0;
  #lookedAtMs: MonotonicMs = 0;
  #stillCount = 0;
  /** How many were given at a look, which must be counted some looks after the link has sent so much. */
  #dueCount = 0;
  #dueLinkBytes = 0;
  #lateCount = 0;
  #effects: SecondEffect[] = [];

  /** `isOpener`: this end offered the link, so it opens the second connections. */
  constructor(isOpener: boolean) {
    this.#isOpener = isOpener;
  }

  /** Whether messages may be given to the second connection now. */
  get isUp(): boolean {
    return this.#state.kind === 'up';
  }

  /** Whether neither end has anything of a second connection left. */
  get isOver(): boolean {
    return this.#state.kind === 'none';
  }

  handle(nowMs: MonotonicMs, input: SecondInput): readonly SecondEffect[] {
    this.#effects = [];
    this.#take(nowMs, input);
    return this.#effects;
  }

  nextDeadlineMs(): MonotonicMs {
    const state = this.#state;
    if (state.kind === 'opening') return state.sinceMs + ATTEMPT_TIMEOUT_MS;
    if (state.kind === 'none') return Infinity;
    if (state.kind === 'over' || this.#hasWork) return this.#lookedAtMs + LOOK_EVERY_MS;
    return this.#usedAtMs + this.#idleMs;
  }

  #take(nowMs: MonotonicMs, input: SecondInput): void {
    switch (input.kind) {
      case 'able':
        // The other end waits for this end's word.
        this.#isAble = true;
        this.#tell({ kind: 'able' });
        break;
      case 'path':
        this.#isDirect = input.isDirect;
        break;
      case 'waits':
        this.#waits(nowMs, input.byteCount, input.hasPlace);
        break;
      case 'frame':
        this.#frame(nowMs, input.frame, input.hasPlace);
        break;
      case 'signal':
        this.#ownSignal(input.signal);
        break;
      case 'connected':
        if (this.#state.kind !== 'opening') break;
        this.#state = { kind: 'up', number: this.#state.number, sinceMs: nowMs };
        this.#usedAtMs = nowMs;
        break;
      case 'closed':
        this.#end(nowMs, 'failed');
        break;
      case 'given':
        if (!this.#hasWork) this.#lookAgain(nowMs);
        this.#givenCount += 1;
        this.#usedAtMs = nowMs;
        break;
      case 'written':
        this.#writtenCount += 1;
        break;
      case 'withdrawn':
        this.#givenCount -= 1;
        break;
      case 'part':
        this.#usedAtMs = nowMs;
        break;
      case 'came':
        this.#came(nowMs);
        break;
      case 'tick':
        this.#tick(nowMs, input.flow);
        break;
    }
  }

  #waits(nowMs: MonotonicMs, byteCount: number, hasPlace: boolean): void {
    if (nowMs > this.#waitedAtMs + WAITED_WITHIN_MS) this.#waitedBytes = 0;
    this.#waitedAtMs = nowMs;
    this.#waitedBytes += byteCount;
    if (this.#waitedBytes < OPEN_AFTER_BYTES || !this.#mayOpen(nowMs, hasPlace)) return;
    this.#waitedBytes = 0;
    if (this.#isOpener) this.#open(nowMs);
    else this.#tell({ kind: 'wanted' });
  }

  #mayOpen(nowMs: MonotonicMs, hasPlace: boolean): boolean {
    const isFree = this.#state.kind === 'none' && nowMs >= this.#restsUntilMs;
    return isFree && this.#isAble && this.#isDirect && hasPlace;
  }

  #open(nowMs: MonotonicMs): void {
    this.#begin(nowMs, this.#lastNumber + 1);
    this.#effects.push({ kind: 'create', initiator: true });
  }

  #begin(nowMs: MonotonicMs, number: number): void {
    this.#lastNumber = number;
    this.#state = { kind: 'opening', number, sinceMs: nowMs };
    this.#signalCount = 0;
    this.#ownSignalCount = 0;
    this.#givenCount = 0;
    this.#writtenCount = 0;
    this.#countedCount = 0;
    this.#cameCount = 0;
    this.#goneBytes = 0;
    this.#dueCount = 0;
  }

  // What the other end says

  #frame(nowMs: MonotonicMs, frame: SecondFrame, hasPlace: boolean): void {
    switch (frame.kind) {
      case 'able':
        if (!this.#isOpener || this.#isAble) this.#refuse('it says twice that it knows second connections');
        else this.#isAble = true;
        break;
      case 'wanted':
        if (!this.#isOpener || !this.#isAble) this.#refuse('it asks for what it may not ask for');
        else if (this.#mayOpen(nowMs, hasPlace)) this.#open(nowMs);
        break;
      case 'signal':
        this.#signalled(nowMs, frame.number, frame.signal, hasPlace);
        break;
      case 'came':
        if (this.#isOf(frame.number) && this.#isNewCount(frame.count)) this.#counted(nowMs, frame.count);
        else this.#refuse(`it counts ${frame.count} messages`);
        break;
      case 'over':
        this.#overThere(nowMs, frame.number, frame.count);
        break;
    }
  }

  #signalled(nowMs: MonotonicMs, number: number, signal: ConnectionSignal, hasPlace: boolean): void {
    if (this.#isOffer(number, signal)) {
      this.#begin(nowMs, number);
      this.#signalCount = 1;
      // The declined one is over at once, without a connection.
      if (!this.#isDirect || !hasPlace || nowMs < this.#endedAtMs + MIN_REST_MS) this.#over(nowMs, number);
      else this.#effects.push({ kind: 'create', initiator: false }, { kind: 'apply', signal });
      return;
    }
    this.#signalCount += 1;
    const isMisplaced = signal.kind === 'offer' || (signal.kind === 'answer' && !this.#isOpener);
    if (!this.#isOf(number) || isMisplaced || this.#signalCount > MAX_SIGNAL_COUNT)
      this.#refuse(`a signal for a second connection that it may not send: ${signal.kind}`);
    else if (this.#state.kind !== 'over') this.#effects.push({ kind: 'apply', signal });
  }

  /** Whether it begins a new connection. */
  #isOffer(number: number, signal: ConnectionSignal): boolean {
    const isNext = this.#state.kind === 'none' && number === this.#lastNumber + 1;
    return signal.kind === 'offer' && isNext && !this.#isOpener && this.#isAble;
  }

  #overThere(nowMs: MonotonicMs, number: number, count: number): void {
    const isCount = count === this.#countedCount || this.#isNewCount(count);
    if (!this.#isOf(number) || !isCount) {
      this.#refuse(`it ends a second connection with ${count} messages`);
      return;
    }
    this.#end(nowMs, this.#state.kind === 'opening' || this.#hasWork ? 'failed' : 'idle');
    this.#counted(nowMs, count);
    if (this.#writtenCount > this.#countedCount) this.#effects.push({ kind: 'resend' });
    this.#state = { kind: 'none' };
  }

  #counted(nowMs: MonotonicMs, total: number): void {
    const count = total - this.#countedCount;
    if (count === 0) return;
    this.#countedCount = total;
    this.#usedAtMs = nowMs;
    this.#failureCount = 0;
    this.#stillCount = 0;
    this.#effects.push({ kind: 'counted', count });
  }

  #isOf(number: number): boolean {
    return this.#state.kind !== 'none' && this.#state.number === number;
  }

  #isNewCount(count: number): boolean {
    return count > this.#countedCount && count <= this.#writtenCount;
  }

  // This end

  #came(nowMs: MonotonicMs): void {
    if (this.#state.kind !== 'up') return;
    this.#cameCount += 1;
    this.#usedAtMs = nowMs;
    this.#failureCount = 0;
    this.#tell({ kind: 'came', number: this.#state.number, count: this.#cameCount });
  }

  #ownSignal(signal: ConnectionSignal): void {
    const state = this.#state;
    if (state.kind === 'none' || state.kind === 'over' || this.#ownSignalCount === MAX_SIGNAL_COUNT) return;
    this.#ownSignalCount += 1;
    this.#tell({ kind: 'signal', number: state.number, signal });
  }

  #tick(nowMs: MonotonicMs, flow: SecondFlow): void {
    const state = this.#state;
    if (state.kind === 'none') return;
    if (state.kind === 'opening') {
      if (nowMs >= state.sinceMs + ATTEMPT_TIMEOUT_MS) this.#end(nowMs, 'failed');
    } else if (state.kind === 'over' || this.#hasWork) {
      if (nowMs >= this.#lookedAtMs + LOOK_EVERY_MS) this.#look(nowMs, flow);
    } else if (nowMs >= this.#usedAtMs + this.#idleMs) this.#end(nowMs, 'idle');
  }

  #look(nowMs: MonotonicMs, flow: SecondFlow): void {
    this.#lookedAtMs = nowMs;
    const isOver = this.#state.kind === 'over';
    this.#stillCount = !isOver && flow.goneBytes > this.#goneBytes ? 0 : this.#stillCount + 1;
    this.#goneBytes = flow.goneBytes;
    if (isOver && this.#stillCount >= OVER_LOOK_COUNT) this.#refuse('it does not say what came to it');
    if (!isOver && (this.#stillCount >= STILL_LOOK_COUNT || this.#isLate(flow))) this.#end(nowMs, 'failed');
  }

  /** Whether messages wait here that the link would have brought long ago. */
  #isLate({ linkGoneBytes, linkEndBytes }: SecondFlow): boolean {
    if (this.#countedCount < this.#dueCount) {
      // What was to go over the link may have been taken back.
      const hasGone = linkGoneBytes >= Math.min(this.#dueLinkBytes, linkEndBytes);
      this.#lateCount = hasGone ? this.#lateCount + 1 : 0;
      return this.#lateCount >= LATE_LOOK_COUNT;
    }
    this.#dueCount = this.#givenCount;
    this.#dueLinkBytes = linkEndBytes;
    this.#lateCount = 0;
    return false;
  }

  #lookAgain(nowMs: MonotonicMs): void {
    this.#lookedAtMs = nowMs;
    this.#stillCount = 0;
    this.#dueCount = 0;
  }

  /** Ends this end's connection, if there is one. */
  #end(nowMs: MonotonicMs, why: 'failed' | 'idle'): void {
    const state = this.#state;
    if (state.kind === 'none' || state.kind === 'over') return;
    this.#effects.push({ kind: 'destroy' });
    this.#endedAtMs = nowMs;
    const restMs = Math.min(REST_MS * 2 ** this.#failureCount, MAX_REST_MS);
    this.#restsUntilMs = nowMs + (why === 'idle' ? SHORT_REST_MS : restMs);
    if (why === 'failed') this.#failureCount += 1;
    this.#over(nowMs, state.number);
  }

  #over(nowMs: MonotonicMs, number: number): void {
    this.#state = { kind: 'over', number };
    this.#lookAgain(nowMs);
    this.#tell({ kind: 'over', number, count: this.#cameCount });
  }

  get #idleMs(): number {
    return this.#isOpener ? SECOND_IDLE_MS : IDLE_BEYOND_MS;
  }

  /** Whether something was given to it that the other end has not counted. */
  get #hasWork(): boolean {
    return this.#givenCount > this.#countedCount;
  }

  #tell(frame: SecondFrame): void {
    this.#effects.push({ kind: 'frame', frame });
  }

  #refuse(detail: string): void {
    this.#effects.push({ kind: 'refused', detail });
  }
}
