// The part of a device in a pool: lists the pool by name while its person wants that, shows who asks to join,
// and lets in whom a person has compared.
//
// Invariants: nothing is answered before a person wants to compare, so nobody can try exchanges in numbers
// until codes fit; the key that an ask reveals is the one that it committed itself to; an invite is made only
// once the digits of the other screen were typed here, for one device, and ends with its ask. A flood of asks
// costs a bounded list, of which none is pushed out by another.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import type { Failure } from '../../core/model/failures.ts';
import type { AskingEnd } from '../../core/model/meeting-failures.ts';
import type { ExchangePair } from '../../core/model/exchange-key.ts';
import { MAX_ASKS } from '../../core/model/limits.ts';
import type { LobbySocket, NearbyPorts } from '../../core/nearby/nearby-port.ts';
import {
  decodeNearbyLetter,
  encodeNearbyLetter,
  type NearbyLetter,
  type Reveal,
} from '../../core/nearby/nearby-letter.ts';
import { agreeOn, commitmentTo, sealNearbyInvite, type Agreed } from '../../core/nearby/short-code.ts';
import type { Clock, Cryptography } from '../../core/ports.ts';
import type { RelayState } from '../../core/transport-port.ts';
import type { ConnectionId } from '../../core/wire/relay-protocol.ts';
import type { AskStatus, ListingStatus } from '../nearby-api.ts';
import type { PairInvite } from '../pairing/pairing.ts';
import { ASK_BURST, ASK_EVERY_MS, ASK_MS, COMPARE_MS, isOf, JOIN_MS, REVEAL_MS, TRIES } from './ask-rules.ts';
import { askKey } from './asking.ts';

export interface ListingPorts extends NearbyPorts {
  readonly cryptography: Cryptography;
}

export interface ListingDevice {
  readonly clock: Clock;
  /** @throws PalmError while it is locked; 'unsupported'. */
  ports(): Promise<ListingPorts>;
  /** The name to list. @throws PalmError 'not-in-pool', 'not-allowed' if this device lets nobody in. */
  listedName(): string;
  mayInvite(): boolean;
  /** An invite for one device, for a while. */
  invite(): Promise<PairInvite>;
  changed(): void;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

interface Ask {
  readonly from: ConnectionId;
  readonly id: string;
  readonly letter: NearbyLetter & { readonly kind: 'ask' };
  step: AskStatus['step'];
  untilMs: number;
  cancelTimer: () => void;
  pair: ExchangePair | undefined;
  answer: (NearbyLetter & { readonly kind: 'answer' }) | undefined;
  agreed: Agreed | undefined;
  triesLeft: number;
  isAllowing: boolean;
  invite: PairInvite | undefined;
  failure: Failure | undefined;
}

interface Listed {
  readonly name: string;
  readonly ports: ListingPorts;
  readonly socket: LobbySocket;
  relay: RelayState;
  /** How many asks may be heard now, and when that was reckoned, ms. */
  heard: number;
  heardAtMs: number;
}

export class Listing {
  readonly #device: ListingDevice;
  #listed: Listed | undefined;
  #asks: Ask[] = [];
  /** What was said last: it may be taken back before the ports are there. */
  #isWanted = false;

  constructor(device: ListingDevice) {
    this.#device = device;
  }

  get status():
    | (Omit<ListingStatus, 'asks'> & {
        readonly asks: readonly (Omit<AskStatus, 'problem'> & { readonly failure?: Failure })[];
      })
    | undefined {
    if (this.#listed === undefined) return undefined;
    return { relay: this.#listed.relay, asks: this.#asks.map(statusOf) };
  }

  async set(isListed: boolean): Promise<void> {
    if (!isListed) return this.stop();
    const name = this.#device.listedName();
    this.#isWanted = true;
    const ports = await this.#device.ports();
    if (!this.#isWanted || this.#listed !== undefined) return;
    const { clock } = this.#device;
    const isCurrent = (): boolean => this.#listed?.socket === socket;
    const socket = ports.enter(
      { kind: 'list', name },
      {
        state: (relay) => {
          if (!isCurrent() || this.#listed === undefined) return;
          this.#listed.relay = relay;
          if (relay === 'lost') for (const ask of this.#open()) this.#lost(ask);
          this.#device.changed();
        },
        pools: () => undefined,
        departed: (id) => {
          for (const ask of this.#open()) if (ask.from === id) this.#lost(ask);
        },
        letter: (from, letter) => {
          if (isCurrent()) this.#hear(from, letter);
        },
        refused: () => {
          if (!isCurrent()) return;
          this.stop();
          this.#device.background(Promise.reject(failed('not-shown')));
        },
      },
    );
    const heardAtMs = clock.monotonicMs();
    this.#listed = { name, ports, socket, relay: 'connecting', heard: ASK_BURST, heardAtMs };
    this.#device.changed();
  }

  stop(): void {
    this.#isWanted = false;
    const listed = this.#listed;
    if (listed === undefined) return;
    for (const ask of this.#open()) this.#close(ask, 'refused');
    this.#asks = [];
    this.#listed = undefined;
    listed.socket.close();
    this.#device.changed();
  }

  /** Something of the pool has changed: perhaps a newcomer is in, or this device may no longer let one in. */
  look(): void {
    if (this.#listed === undefined) return;
    if (!this.#device.mayInvite()) return this.stop();
    for (const ask of this.#asks) {
      if (ask.step !== 'allowed' || (ask.invite?.admitted() ?? []).length === 0) continue;
      ask.step = 'joined';
      ask.cancelTimer();
      this.#device.changed();
    }
  }

  async compare(id: string): Promise<void> {
    const ask = this.#find(id, 'asking');
    const { ports } = this.#here();
    if (ask.pair !== undefined) return;
    const pair = await ports.cryptography.newExchangePair();
    if (!this.#asks.includes(ask) || ask.step !== 'asking' || ask.pair !== undefined) throw failed('over');
    ask.pair = pair;
    ask.answer = { kind: 'answer', ask: ask.letter.ask, key: pair.publicKey };
    this.#write(ask, ask.answer);
    this.#wait(ask, REVEAL_MS, 'lost');
  }

  async allow(id: string, digits: string): Promise<void> {
    const ask = this.#find(id, 'comparing');
    if (ask.agreed === undefined || ask.isAllowing) throw failed('over');
    if (digits.replaceAll(/\s/gu, '') !== ask.agreed.code.digits) {
      ask.triesLeft -= 1;
      if (ask.triesLeft > 0) throw failed('other-digits');
      this.#close(ask, 'differs');
      this.#fail(ask, 'differs');
      throw failed('differs');
    }
    ask.isAllowing = true;
    try {
      await this.#hand(ask, ask.agreed);
    } finally {
      ask.isAllowing = false;
    }
  }

  refuse(id: string): void {
    const ask = this.#asks.find((each) => each.id === id);
    if (ask === undefined) return;
    this.#close(ask, 'refused');
    this.#asks = this.#asks.filter((each) => each !== ask);
    this.#device.changed();
  }

  async #hand(ask: Ask, agreed: Agreed): Promise<void> {
    const invite = await this.#device.invite();
    if (!this.#asks.includes(ask) || ask.step !== 'comparing') {
      await invite.withdraw();
      throw failed('over');
    }
    ask.invite = invite;
    const sealed = await sealNearbyInvite(invite.url, agreed, this.#here().ports.cryptography);
    // Whoever ended the ask meanwhile has withdrawn the invite, too.
    if (ask.invite === undefined) throw failed('over');
    ask.step = 'allowed';
    this.#write(ask, { kind: 'invite', ask: ask.letter.ask, sealed });
    this.#wait(ask, JOIN_MS, 'not-joined');
  }

  #hear(from: ConnectionId, bytes: Uint8Array): void {
    let letter: NearbyLetter;
    try {
      letter = decodeNearbyLetter(bytes);
    } catch (error) {
      // What strangers send is no news.
      if (!isPalmError(error, 'bad-message')) throw error;
      return;
    }
    if (letter.kind === 'ask') return this.#asked(from, letter);
    const ask = this.#open().find((each) => each.from === from && isOf(letter, each.letter.ask));
    if (ask === undefined) return;
    if (letter.kind === 'reveal') {
      this.#reveal(ask, letter).catch((error: unknown) => this.#device.background(Promise.reject(error)));
    } else if (letter.kind === 'end') {
      if (ask.step === 'allowed') this.#fail(ask, letter.reason === 'differs' ? 'differs' : 'given-up');
      else this.#lost(ask, letter.reason);
    }
  }

  #asked(from: ConnectionId, letter: NearbyLetter & { readonly kind: 'ask' }): void {
    const listed = this.#here();
    if (letter.pool !== listed.name || !this.#mayHear(listed)) return;
    const open = this.#open();
    const isKnown = open.some((ask) => ask.from === from || isOf(ask.letter, letter.ask));
    if (isKnown || open.length >= MAX_ASKS) {
      listed.socket.write(from, encodeNearbyLetter({ kind: 'end', ask: letter.ask, reason: 'busy' }));
      return;
    }
    const ask: Ask = {
      from,
      id: askKey(letter.ask),
      letter,
      step: 'asking',
      untilMs: 0,
      cancelTimer: () => undefined,
      pair: undefined,
      answer: undefined,
      agreed: undefined,
      triesLeft: TRIES,
      isAllowing: false,
      invite: undefined,
      failure: undefined,
    };
    // Of those that are over, the oldest go.
    const over = this.#asks.filter((each) => !open.includes(each)).slice(1 - MAX_ASKS);
    this.#asks = [...over, ...open, ask];
    this.#wait(ask, ASK_MS, 'too-late');
  }

  #mayHear(listed: Listed): boolean {
    const nowMs = this.#device.clock.monotonicMs();
    listed.heard = Math.min(ASK_BURST, listed.heard + (nowMs - listed.heardAtMs) / ASK_EVERY_MS);
    listed.heardAtMs = nowMs;
    if (listed.heard < 1) return false;
    listed.heard -= 1;
    return true;
  }

  async #reveal(ask: Ask, reveal: Reveal): Promise<void> {
    const { letter, answer, pair } = ask;
    if (answer === undefined || pair === undefined || ask.agreed !== undefined) return;
    if (!equalBytes(commitmentTo(reveal), letter.commitment)) {
      this.#close(ask, 'differs');
      return this.#fail(ask, 'differs');
    }
    const { cryptography } = this.#here().ports;
    const agreed = await agreeOn({ ask: letter, answer, reveal }, pair, reveal.key, cryptography);
    if (ask.step !== 'asking' || !this.#asks.includes(ask)) return;
    ask.agreed = agreed;
    ask.step = 'comparing';
    this.#wait(ask, COMPARE_MS, 'too-late');
  }

  /** The other end is gone, or says that this is over. One that nobody looked at just goes. */
  #lost(ask: Ask, reason: AskingEnd = 'lost'): void {
    if (ask.step === 'allowed') return;
    if (ask.pair !== undefined) return this.#fail(ask, reason);
    ask.cancelTimer();
    this.#asks = this.#asks.filter((each) => each !== ask);
    this.#device.changed();
  }

  #wait(ask: Ask, withinMs: number, otherwise: AskingEnd): void {
    const { clock } = this.#device;
    ask.untilMs = clock.wallMs() + withinMs;
    ask.cancelTimer();
    ask.cancelTimer = clock.after(withinMs, () => {
      this.#close(ask, 'too-late');
      this.#endInvite(ask);
      if (ask.step === 'allowed') this.#fail(ask, otherwise);
      else this.#lost(ask, otherwise);
    });
    this.#device.changed();
  }

  #fail(ask: Ask, reason: AskingEnd): void {
    if (ask.step === 'joined' || ask.step === 'failed') return;
    ask.cancelTimer();
    this.#endInvite(ask);
    ask.step = 'failed';
    ask.failure = failed(reason).failure;
    this.#device.changed();
  }

  /** Tells the other end, and lets nobody in by it any more. */
  #close(ask: Ask, reason: 'refused' | 'differs' | 'too-late'): void {
    ask.cancelTimer();
    if (ask.step === 'joined' || ask.step === 'failed') return;
    this.#write(ask, { kind: 'end', ask: ask.letter.ask, reason });
    this.#endInvite(ask);
  }

  #endInvite(ask: Ask): void {
    if (ask.invite === undefined || ask.step === 'joined') return;
    this.#device.background(ask.invite.withdraw());
    ask.invite = undefined;
  }

  #open(): Ask[] {
    return this.#asks.filter(({ step }) => step !== 'joined' && step !== 'failed');
  }

  #find(id: string, step: AskStatus['step']): Ask {
    const ask = this.#asks.find((each) => each.id === id && each.step === step);
    if (ask === undefined) throw failed('over');
    return ask;
  }

  #here(): Listed {
    if (this.#listed === undefined) throw failed('over');
    return this.#listed;
  }

  #write(ask: Ask, letter: NearbyLetter): void {
    this.#listed?.socket.write(ask.from, encodeNearbyLetter(letter));
  }
}

function statusOf(ask: Ask): Omit<AskStatus, 'problem'> & { readonly failure?: Failure } {
  const { id, letter, step, agreed, untilMs, failure } = ask;
  const isRight = step === 'allowed' || step === 'joined';
  const isOver = step === 'joined' || step === 'failed';
  return {
    id,
    name: letter.device,
    step,
    ...(agreed === undefined || step === 'failed' ? {} : { signs: agreed.code.signs }),
    ...(agreed !== undefined && isRight ? { digits: agreed.code.digits } : {}),
    ...(isOver ? {} : { untilMs }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function failed(reason: AskingEnd): PalmError {
  return new PalmError({ code: 'asking-failed', reason });
}
