// Proofs of holding fragments: what this device has to hear from others before it gives up its own copies, and what it answers
// itself (FORMATS.md, challenges). Both are the same hash, of the same bytes, from this device's own disk.
//
// Invariant: from before a challenge is sent until it is over, nobody is served what its proofs are made of.

import type { Catalogue } from '../core/catalogue/catalogue.ts';
import { decodeFragmentIndex } from '../core/coding/fragment-index.ts';
import { concatBytes, utf8 } from '../core/model/bytes.ts';
import { isPalmError } from '../core/model/errors.ts';
import { blockKey, cidOf, type BlockHash, type DeviceId } from '../core/model/ids.ts';
import type { PeerInput } from '../core/peer/peer-events.ts';
import { proofRanges } from '../core/peer/proof-ranges.ts';
import type { Ask } from '../core/peer/requests.ts';
import type { Cryptography, Memory, Random } from '../core/ports.ts';
import { CHALLENGE_SALT_BYTES, type Place } from '../core/wire/messages.ts';

export interface ChallengingPorts {
  readonly cryptography: Pick<Cryptography, 'sha256'>;
  readonly random: Random;
  readonly memory: Memory;
  readonly catalogue: Catalogue;
  readonly self: DeviceId;
  /** From this device's own store; undefined when it is not here. @throws PalmError 'corrupt' once the damage was noted. */
  load(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined>;
  input(input: PeerInput): void;
}

/** Fragments that are read at once: each block is in memory of a full one, and 64 small ones are read in one go. */
const MAX_AT_ONCE = 16;

export class Challenging {
  readonly #ports: ChallengingPorts;
  /** What is not served, by challenge: places, and keys of blocks. */
  readonly #withheld = new Map<number, Set<string>>();

  constructor(ports: ChallengingPorts) {
    this.#ports = ports;
  }

  /** Works out what `to` has to answer, and has it asked. */
  async challenge(id: number, to: DeviceId, places: readonly Place[]): Promise<void> {
    const salt = this.#ports.random.bytes(CHALLENGE_SALT_BYTES);
    const withheld = new Set(places.map(placeKey));
    this.#withheld.set(id, withheld);
    const expected = await this.#digests(places, salt, to, (hash) => withheld.add(blockKey(hash)));
    this.#ports.input({ kind: 'challenge-ready', id, to, salt, expected });
  }

  over(id: number): void {
    this.#withheld.delete(id);
  }

  /** Whether `ask` must not be answered now, or this place not be among the answers. */
  withholds(ask: Ask | Place): boolean {
    const key = 'kind' in ask && ask.kind === 'get-block' ? blockKey(ask.hash) : undefined;
    const wanted = key ?? ('file' in ask ? placeKey(ask) : undefined);
    return wanted !== undefined && [...this.#withheld.values()].some((keys) => keys.has(wanted));
  }

  /** Answers a challenge of `to`. */
  async prove(
    to: DeviceId,
    id: number,
    salt: Uint8Array,
    places: readonly (Place | undefined)[],
  ): Promise<void> {
    const digests = await this.#digests(places, salt, this.#ports.self, () => undefined);
    this.#ports.input({ kind: 'proof-made', to, id, digests });
  }

  async #digests(
    places: readonly (Place | undefined)[],
    salt: Uint8Array,
    prover: DeviceId,
    touched: (hash: BlockHash) => void,
  ): Promise<(Uint8Array | undefined)[]> {
    const digests: (Uint8Array | undefined)[] = [];
    for (let at = 0; at < places.length; at += MAX_AT_ONCE) {
      const some = places.slice(at, at + MAX_AT_ONCE);
      const made = some.map((place) =>
        place === undefined ? Promise.resolve(undefined) : this.#digest(place, salt, prover, touched),
      );
      digests.push(...(await Promise.all(made)));
    }
    return digests;
  }

  /** Undefined where the fragment is not here, or not sound. */
  async #digest(
    place: Place,
    salt: Uint8Array,
    prover: DeviceId,
    touched: (hash: BlockHash) => void,
  ): Promise<Uint8Array | undefined> {
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
        if (hash === undefined) return undefined;
        touched(hash);
        const block = await this.#ports.load({ kind: 'get-block', hash });
        if (block === undefined) return undefined;
        parts.push(block.slice(start, end));
        this.#ports.memory.give(block);
      }
      return await this.#ports.cryptography.sha256(concatBytes(...parts));
    } catch (error) {
      if (isPalmError(error, 'corrupt') || isPalmError(error, 'bad-message')) return undefined;
      throw error;
    }
  }
}

function placeKey({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
