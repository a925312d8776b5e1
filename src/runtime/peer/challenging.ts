// Proofs of holding fragments: those that this device needs before it gives up its own copies, and those that
// it gives (FORMATS.md, challenges). Both are the same hash of the same bytes, read from this device's own
// disk.
//
// Invariants: from before a round's first challenge until the round is over, nobody is served the bytes that
// its proofs are made of; at most MAX_PROVING challenges of others are answered at a time, one of each device
// in turn.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { decodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { concatBytes, utf8 } from '../../core/model/bytes.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { blockKey, cidOf, type DeviceId, type FileId } from '../../core/model/ids.ts';
import type { RoundPlace } from '../../core/peer/challenges.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import { proofRanges } from '../../core/peer/proof-ranges.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { Cryptography, Memory, Random } from '../../core/ports.ts';
import { CHALLENGE_SALT_BYTES, type ProofAsk } from '../../core/wire/messages.ts';
import type { Place } from '../../core/wire/places.ts';

export interface ChallengingPorts {
  readonly cryptography: Pick<Cryptography, 'sha256'>;
  readonly random: Random;
  readonly memory: Memory;
  readonly catalogue: Catalogue;
  readonly self: DeviceId;
  /**
   * From this device's own store; undefined when it is not here.
   * @throws PalmError 'corrupt' once the damage was noted.
   */
  load(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined>;
  input(input: PeerInput): void;
}

/** Fragments read at a time: each block has a full block's memory, and 64 small ones are read in one go. */
const MAX_AT_ONCE = 16;
/**
 * Challenges of others answered at a time. A device that sends many waits, so that other proofs are not late.
 */
const MAX_PROVING = 2;

interface Round {
  readonly salt: Uint8Array;
  /** Not served: places, and keys of blocks. */
  readonly withheld: Set<string>;
}

type ChallengingEffect = PeerEffect & { readonly kind: 'challenge' | 'round' | 'round-over' | 'prove' };

export class Challenging {
  readonly #ports: ChallengingPorts;
  readonly #rounds = new Map<number, Round>();
  /** Challenges that wait to be answered, by device; the first in the map has the next turn. */
  readonly #asked = new Map<DeviceId, (() => Promise<void>)[]>();
  #provingCount = 0;

  constructor(ports: ChallengingPorts) {
    this.#ports = ports;
  }

  async perform(effect: ChallengingEffect): Promise<void> {
    switch (effect.kind) {
      case 'challenge':
        await this.challenge(effect.id, effect.to, effect.places);
        break;
      case 'round':
        await this.begin(effect.round, effect.file, effect.fragments);
        break;
      case 'round-over':
        this.over(effect.round);
        break;
      case 'prove':
        await this.prove(effect.to, effect.id, effect.asks);
        break;
    }
  }

  /** Draws the round's salt, and withholds the blocks that it picks. */
  async begin(round: number, file: FileId, fragments: readonly number[]): Promise<void> {
    const salt = this.#ports.random.bytes(CHALLENGE_SALT_BYTES);
    const withheld = new Set(fragments.map((fragment) => placeKey({ file, fragment })));
    this.#rounds.set(round, { salt, withheld });
    const manifest = this.#ports.catalogue.files().get(file);
    // Decoded at each look.
    const fragmentIds = manifest?.fragments;
    try {
      for (const fragment of fragments) {
        const fragmentId = fragmentIds?.[fragment];
        const blocks = await this.#blocksOf({ file, fragment });
        if (manifest === undefined || fragmentId === undefined || blocks === undefined) continue;
        for (const { segment } of proofRanges(salt, fragmentId, manifest)) {
          const hash = blocks[segment];
          if (hash !== undefined) withheld.add(blockKey(hash));
        }
      }
    } finally {
      // Unreadable blocks can be neither served nor compared.
      this.#ports.input({ kind: 'round-ready', round });
    }
  }

  over(round: number): void {
    this.#rounds.delete(round);
  }

  /** Computes the expected answer of `to`, and has the challenge sent. */
  async challenge(id: number, to: DeviceId, places: readonly RoundPlace[]): Promise<void> {
    const asks = places.map(({ file, fragment, round }) => {
      const salt = this.#rounds.get(round)?.salt;
      if (salt === undefined) throw new Error('a round lasts as long as its challenges');
      return { file, fragment, salt };
    });
    let expected: readonly (Uint8Array | undefined)[] | undefined;
    try {
      expected = await this.#digests(asks, to);
    } finally {
      this.#ports.input({ kind: 'challenge-ready', id, to, asks, expected });
    }
  }

  /** Whether `ask` must not be answered now, or this place must be left out of the answers. */
  withholds(ask: Ask | Place): boolean {
    const key = 'kind' in ask && ask.kind === 'get-block' ? blockKey(ask.hash) : undefined;
    const wanted = key ?? ('file' in ask ? placeKey(ask) : undefined);
    return wanted !== undefined && [...this.#rounds.values()].some(({ withheld }) => withheld.has(wanted));
  }

  /** Answers a challenge of `to`, in its turn. */
  prove(to: DeviceId, id: number, asks: readonly (ProofAsk | undefined)[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = async (): Promise<void> => {
        let digests: readonly (Uint8Array | undefined)[] = [];
        try {
          digests = await this.#digests(asks, this.#ports.self);
        } finally {
          this.#ports.input({ kind: 'proof-made', to, id, digests });
        }
      };
      const waiting = this.#asked.get(to) ?? [];
      waiting.push(() => answer().then(resolve, reject));
      this.#asked.set(to, waiting);
      this.#proveNext();
    });
  }

  #proveNext(): void {
    const [next] = this.#asked;
    if (next === undefined || this.#provingCount === MAX_PROVING) return;
    const [device, waiting] = next;
    const prove = waiting.shift();
    // A device with more challenges waits until all others had their turn.
    this.#asked.delete(device);
    if (waiting.length > 0) this.#asked.set(device, waiting);
    if (prove === undefined) return;
    this.#provingCount += 1;
    void prove().finally(() => {
      this.#provingCount -= 1;
      this.#proveNext();
    });
  }

  async #digests(
    asks: readonly (ProofAsk | undefined)[],
    prover: DeviceId,
  ): Promise<(Uint8Array | undefined)[]> {
    const digests: (Uint8Array | undefined)[] = [];
    for (let at = 0; at < asks.length; at += MAX_AT_ONCE) {
      const some = asks.slice(at, at + MAX_AT_ONCE);
      const made = some.map((ask) =>
        ask === undefined ? Promise.resolve(undefined) : this.#digest(ask, prover),
      );
      digests.push(...(await Promise.all(made)));
    }
    return digests;
  }

  /** Undefined where the fragment is missing or unsound. */
  async #digest({ salt, ...place }: ProofAsk, prover: DeviceId): Promise<Uint8Array | undefined> {
    const manifest = this.#ports.catalogue.files().get(place.file);
    const fragmentId = manifest?.fragments[place.fragment];
    if (manifest === undefined || fragmentId === undefined) return undefined;
    try {
      const index = await this.#ports.load({ kind: 'get-index', ...place });
      if (index === undefined) return undefined;
      const { blocks } = decodeFragmentIndex(index);
      const parts = [utf8('palm/v2/proof'), salt, cidOf(prover).bytes, index];
      for (const { segment, start, end } of proofRanges(salt, fragmentId, manifest)) {
        const hash = blocks[segment];
        const block = hash && (await this.#ports.load({ kind: 'get-block', hash }));
        if (block === undefined) return undefined;
        parts.push(block.slice(start, end));
        this.#ports.memory.give(block);
      }
      return await this.#ports.cryptography.sha256(concatBytes(...parts));
    } catch (error) {
      if (isUnsound(error)) return undefined;
      throw error;
    }
  }

  /** Undefined where the index is missing or unsound. */
  async #blocksOf(place: Place): Promise<ReturnType<typeof decodeFragmentIndex>['blocks'] | undefined> {
    try {
      const index = await this.#ports.load({ kind: 'get-index', ...place });
      return index && decodeFragmentIndex(index).blocks;
    } catch (error) {
      if (isUnsound(error)) return undefined;
      throw error;
    }
  }
}

function isUnsound(error: unknown): boolean {
  return isPalmError(error, 'corrupt') || isPalmError(error, 'bad-message');
}

function placeKey({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
