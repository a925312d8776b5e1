// The part of a device in no pool: looks at what is listed nearby, and asks one pool to let it in.
//
// Invariants: one ask at a time. What it reveals was fixed before the other's key came, and it takes one such
// key. An invite is used only after the person here has picked out the signs that the other screen shows, and
// only if it opens under the key of this exchange: from there on it is an ordinary invite.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { hexOf } from '../../core/model/bytes.ts';
import type { Failure } from '../../core/model/failures.ts';
import type { AskingEnd } from '../../core/model/meeting-failures.ts';
import type { ExchangePair } from '../../core/model/exchange-key.ts';
import type { LobbySocket, NearbyPorts } from '../../core/nearby/nearby-port.ts';
import {
  ASK_ID_BYTES,
  decodeNearbyLetter,
  encodeNearbyLetter,
  NONCE_BYTES,
  type NearbyLetter,
  type Reveal,
} from '../../core/nearby/nearby-letter.ts';
import { agreeOn, commitmentTo, openNearbyInvite, type Agreed } from '../../core/nearby/short-code.ts';
import type { Clock, Cryptography, Random } from '../../core/ports.ts';
import type { RelayState } from '../../core/transport-port.ts';
import type { ConnectionId, ListedPool } from '../../core/wire/relay-protocol.ts';
import type { AskingStatus, NearbyPool, NearbyStatus } from '../nearby-api.ts';
import { ASK_MS, COMPARE_MS, isOf, TRIES } from './ask-rules.ts';

/** The list is there within moments, or there is no relay, ms. */
const LIST_MS = 5_000;

export interface AskingPorts extends NearbyPorts {
  readonly cryptography: Cryptography;
  readonly random: Random;
}

export interface AskingDevice {
  readonly clock: Clock;
  /** @throws PalmError while it is locked; 'already-in-pool'; 'unsupported'. */
  ports(): Promise<AskingPorts>;
  /** The name that it shows; sets it first if one is given. */
  named(deviceName: string | undefined): Promise<string>;
  join(invite: string): Promise<unknown>;
  /** Ends a join that waits, for good. */
  giveUpJoin(): Promise<unknown>;
  changed(): void;
}

interface Ask {
  readonly to: ConnectionId;
  readonly ports: AskingPorts;
  readonly pair: ExchangePair;
  readonly letter: NearbyLetter & { readonly kind: 'ask' };
  readonly reveal: Reveal;
  step: AskingStatus['step'];
  untilMs: number;
  cancelTimer: () => void;
  /** Whether a key of the other came: only the first counts. */
  isAnswered: boolean;
  agreed: Agreed | undefined;
  invite: string | undefined;
  isConfirmed: boolean;
  triesLeft: number;
  failure: Failure | undefined;
  readonly settle: { resolve(): void; reject(error: unknown): void };
}

export class Asking {
  readonly #device: AskingDevice;
  #lobby: { readonly socket: LobbySocket; relay: RelayState; pools: readonly ListedPool[] } | undefined;
  /** Waits for the first list. */
  #listed = new Set<() => void>();
  #ask: Ask | undefined;

  constructor(device: AskingDevice) {
    this.#device = device;
  }

  get nearby(): NearbyStatus | undefined {
    return this.#lobby && { relay: this.#lobby.relay, pools: this.#lobby.pools };
  }

  get status(): (Omit<AskingStatus, 'problem'> & { readonly failure?: Failure }) | undefined {
    const ask = this.#ask;
    if (ask === undefined) return undefined;
    const { step, letter, agreed, isConfirmed, invite, untilMs, failure } = ask;
    const isOver = step === 'joining' || step === 'failed';
    return {
      step,
      pool: letter.pool,
      ...(agreed === undefined || step === 'failed' ? {} : { digits: agreed.code.digits }),
      ...(agreed === undefined || isOver || isConfirmed ? {} : { choices: agreed.code.choices }),
      ...(agreed === undefined || !isConfirmed ? {} : { signs: agreed.code.signs }),
      ...(invite === undefined ? {} : { allowed: true }),
      ...(isOver ? {} : { untilMs }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** Resolves with the first list; looks on from then. */
  async look(): Promise<readonly NearbyPool[]> {
    const ports = await this.#device.ports();
    if (this.#lobby === undefined) this.#enter(ports);
    if (this.#lobby?.relay !== 'connected') await this.#firstList();
    return this.#lobby?.pools ?? [];
  }

  stop(): void {
    this.cancel();
    this.#leave();
  }

  /** This device is in a pool now, by this ask or otherwise. */
  inPool(): void {
    if (this.#ask !== undefined && this.#ask.step !== 'joining') this.cancel();
    if (this.#lobby !== undefined) this.#leave();
  }

  async ask(id: string, deviceName: string | undefined): Promise<void> {
    const ports = await this.#device.ports();
    const pool = this.#lobby?.pools.find((each) => each.id === id);
    if (pool === undefined) throw failed('not-listed');
    this.cancel();
    const device = await this.#device.named(deviceName);
    const pair = await ports.cryptography.newExchangePair();
    // The pool may be shown no longer, and this device locked, or in a pool.
    if (this.#lobby?.pools.some((each) => each.id === id) !== true) throw failed('not-listed');
    const own = ports.random.bytes(ASK_ID_BYTES);
    const nonce = ports.random.bytes(NONCE_BYTES);
    const reveal: Reveal = { kind: 'reveal', ask: own, key: pair.publicKey, nonce };
    const letter = {
      kind: 'ask',
      ask: own,
      pool: pool.name,
      device,
      commitment: commitmentTo(reveal),
    } as const;
    return new Promise((resolve, reject) => {
      const ask: Ask = {
        to: pool.id,
        ports,
        pair,
        letter,
        reveal,
        step: 'asking',
        untilMs: 0,
        cancelTimer: () => undefined,
        isAnswered: false,
        agreed: undefined,
        invite: undefined,
        isConfirmed: false,
        triesLeft: TRIES,
        failure: undefined,
        settle: { resolve, reject },
      };
      this.cancel();
      this.#ask = ask;
      this.#step(ask, 'asking', ASK_MS, 'not-answered');
      this.#write(ask, letter);
    });
  }

  /** As its person wishes: a join that it led to ends, too, if it still waits. */
  async giveUp(): Promise<void> {
    const isJoining = this.#ask?.step === 'joining';
    this.cancel();
    if (isJoining) await this.#device.giveUpJoin();
  }

  async confirm(signs: readonly string[]): Promise<void> {
    const ask = this.#ask;
    if (ask?.step !== 'comparing' || ask.agreed === undefined) throw failed('over');
    const right = ask.agreed.code.signs;
    const isRight = signs.length === right.length && right.every((sign, index) => signs[index] === sign);
    if (isRight) {
      ask.isConfirmed = true;
      this.#go(ask);
      this.#device.changed();
      return;
    }
    if (ask.isConfirmed) return;
    ask.triesLeft -= 1;
    if (ask.triesLeft > 0) throw failed('other-signs');
    this.#write(ask, { kind: 'end', ask: ask.letter.ask, reason: 'differs' });
    const end = failed('differs');
    this.#fail(ask, end);
    throw end;
  }

  /** A join that waits goes on: it ends with this page, or its person gives it up. */
  cancel(): void {
    const ask = this.#ask;
    if (ask === undefined) return;
    this.#ask = undefined;
    if (ask.step === 'asking' || ask.step === 'comparing') {
      this.#write(ask, { kind: 'end', ask: ask.letter.ask, reason: 'given-up' });
    }
    this.#end(ask, new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    this.#device.changed();
  }

  #enter(ports: AskingPorts): void {
    const socket = ports.enter(
      { kind: 'look' },
      {
        state: (relay) => {
          if (this.#lobby?.socket !== socket) return;
          this.#lobby.relay = relay;
          if (relay === 'lost') this.#lost(undefined);
          this.#device.changed();
        },
        pools: (pools) => {
          if (this.#lobby?.socket !== socket) return;
          this.#lobby.pools = pools;
          for (const told of this.#listed) told();
          this.#device.changed();
        },
        departed: (id) => this.#lost(id),
        letter: (from, letter) => {
          if (this.#lobby?.socket === socket) this.#hear(from, letter);
        },
        refused: () => {
          if (this.#lobby?.socket !== socket) return;
          this.#lost(undefined);
          this.#leave();
        },
      },
    );
    this.#lobby = { socket, relay: 'connecting', pools: [] };
    this.#device.changed();
  }

  #leave(): void {
    if (this.#lobby === undefined) return;
    this.#lobby.socket.close();
    this.#lobby = undefined;
    for (const told of this.#listed) told();
    this.#device.changed();
  }

  #firstList(): Promise<void> {
    return new Promise((resolve) => {
      const told = (): void => {
        cancel();
        this.#listed.delete(told);
        resolve();
      };
      const cancel = this.#device.clock.after(LIST_MS, told);
      this.#listed.add(told);
    });
  }

  /** The other device, or the relay with undefined, is gone. An invite that is here needs neither. */
  #lost(id: ConnectionId | undefined): void {
    const ask = this.#ask;
    if (ask === undefined || ask.invite !== undefined || (id !== undefined && id !== ask.to)) return;
    this.#fail(ask, failed('lost'));
  }

  #hear(from: ConnectionId, bytes: Uint8Array): void {
    const ask = this.#ask;
    if (ask === undefined || from !== ask.to || ask.step === 'failed') return;
    let letter: NearbyLetter;
    try {
      letter = decodeNearbyLetter(bytes);
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      return this.#fail(ask, failed('not-understood'));
    }
    if (!isOf(letter, ask.letter.ask)) return;
    if (letter.kind === 'answer' && !ask.isAnswered) {
      ask.isAnswered = true;
      this.#agree(ask, letter).catch((error: unknown) => this.#fail(ask, error));
    } else if (letter.kind === 'invite' && ask.agreed !== undefined && ask.invite === undefined) {
      this.#open(ask, ask.agreed, letter.sealed).catch((error: unknown) => this.#fail(ask, error));
    } else if (letter.kind === 'end' && ask.invite === undefined) {
      this.#fail(ask, failed(letter.reason === 'given-up' ? 'refused' : letter.reason));
    }
  }

  async #agree(ask: Ask, answer: NearbyLetter & { kind: 'answer' }): Promise<void> {
    const { letter, reveal, pair, ports } = ask;
    this.#write(ask, reveal);
    const agreed = await agreeOn({ ask: letter, answer, reveal }, pair, answer.key, ports.cryptography);
    if (this.#ask !== ask || ask.step !== 'asking') return;
    ask.agreed = agreed;
    this.#step(ask, 'comparing', COMPARE_MS, 'too-late');
  }

  async #open(ask: Ask, agreed: Agreed, sealed: Uint8Array): Promise<void> {
    const invite = await openNearbyInvite(sealed, agreed, ask.ports.cryptography);
    if (this.#ask !== ask || ask.step !== 'comparing') return;
    if (invite === undefined) return this.#fail(ask, failed('not-understood'));
    ask.invite = invite;
    this.#go(ask);
    this.#device.changed();
  }

  /** Both people have compared. */
  #go(ask: Ask): void {
    const { invite, isConfirmed, step } = ask;
    if (invite === undefined || !isConfirmed || step !== 'comparing') return;
    ask.step = 'joining';
    ask.cancelTimer();
    this.#device.join(invite).then(
      () => {
        if (this.#ask === ask) this.#ask = undefined;
        ask.settle.resolve();
        this.#device.changed();
      },
      (error: unknown) => this.#fail(ask, error),
    );
  }

  #step(ask: Ask, step: AskingStatus['step'], withinMs: number, otherwise: AskingEnd): void {
    const { clock } = this.#device;
    ask.step = step;
    ask.untilMs = clock.wallMs() + withinMs;
    ask.cancelTimer();
    ask.cancelTimer = clock.after(withinMs, () => {
      this.#write(ask, { kind: 'end', ask: ask.letter.ask, reason: 'too-late' });
      this.#fail(ask, failed(otherwise));
    });
    this.#device.changed();
  }

  #write(ask: Ask, letter: NearbyLetter): void {
    this.#lobby?.socket.write(ask.to, encodeNearbyLetter(letter));
  }

  #fail(ask: Ask, error: unknown): void {
    if (this.#ask !== ask || ask.step === 'failed') return;
    const failure = isPalmError(error) ? error : failed('lost', error);
    ask.step = 'failed';
    ask.failure = failure.failure;
    this.#end(ask, failure);
    this.#device.changed();
  }

  #end(ask: Ask, reason: PalmError): void {
    ask.cancelTimer();
    ask.settle.reject(reason);
  }
}

/** A name for an ask, for status and calls. */
export function askKey(ask: Uint8Array): string {
  return hexOf(ask);
}

function failed(reason: AskingEnd, cause?: unknown): PalmError {
  return new PalmError({ code: 'asking-failed', reason }, { cause });
}
