// Which slots of the packs are taken (pack-slots.ts says how slots are numbered). A free slot below the last
// taken one of its pack is a hole: its bytes are on the disk already, and it is given out before any file
// grows. What follows the last taken slot is the pack's tail, which can be cut.
//
// Invariants: a slot is given out once until it is freed; a pack in here has a taken slot.

import { kindForBlock, kindOfPack, PACK_SLOTS, type PackKind, PACK_KINDS } from './pack-slots.ts';

interface Pack {
  readonly taken: boolean[];
  count: number;
  /** One after its last taken slot. */
  end: number;
}

export class SlotMap {
  readonly #packs = new Map<number, Pack>();
  /** By kind: packs with a hole. */
  readonly #withHoles = new Map<PackKind, Set<number>>(PACK_KINDS.map((kind) => [kind, new Set()]));
  /** By kind: no earlier pack of the kind has a free slot. */
  readonly #firstFree = new Map<PackKind, number>();

  has(pack: number): boolean {
    return this.#packs.has(pack);
  }

  packs(): number[] {
    return [...this.#packs.keys()];
  }

  /** How many slots a pack's file needs. */
  endOf(pack: number): number {
    return this.#packs.get(pack)?.end ?? 0;
  }

  isTaken(slot: number): boolean {
    return this.#packs.get(packOf(slot))?.taken[slot % PACK_SLOTS] === true;
  }

  /** Bytes of all holes: on the disk, and free to be written. */
  holeBytes(): number {
    let byteCount = 0;
    for (const [kind, numbers] of this.#withHoles) {
      for (const number of numbers) {
        const pack = this.#packs.get(number);
        if (pack !== undefined) byteCount += (pack.end - pack.count) * kind.slotBytes;
      }
    }
    return byteCount;
  }

  /**
   * Takes a slot for a block of `byteCount`: a hole where there is one. Packs in `leaving` stay as they are.
   */
  takeFor(byteCount: number, leaving: ReadonlySet<number>): number {
    const kind = kindForBlock(byteCount);
    // A slot of another kind is better than a file that grows, which a full disk does not let it do.
    const others = PACK_KINDS.filter((other) => other.slotBytes > kind.slotBytes);
    const holes = [kind, ...others].map((each) => this.#holeOf(each));
    const slot = holes.find((hole) => hole !== undefined) ?? this.#nextFree(kind, leaving);
    this.take(slot);
    return slot;
  }

  take(slot: number): void {
    const number = packOf(slot);
    const taken = Array.from({ length: PACK_SLOTS }, () => false);
    const pack = this.#packs.get(number) ?? { taken, count: 0, end: 0 };
    this.#packs.set(number, pack);
    const place = slot % PACK_SLOTS;
    if (pack.taken[place] === true) return;
    pack.taken[place] = true;
    pack.count += 1;
    pack.end = Math.max(pack.end, place + 1);
    this.#noteHoles(number, pack);
  }

  /** Gives the slot back. Does nothing for a free one. */
  free(slot: number): void {
    const number = packOf(slot);
    const pack = this.#packs.get(number);
    if (pack === undefined || !this.isTaken(slot)) return;
    pack.taken[slot % PACK_SLOTS] = false;
    pack.count -= 1;
    pack.end = pack.taken.lastIndexOf(true) + 1;
    this.#noteHoles(number, pack);
    const kind = kindOfPack(number);
    this.#firstFree.set(kind, Math.min(this.#firstFreeOf(kind), number));
    if (pack.count === 0) this.#packs.delete(number);
  }

  #noteHoles(number: number, pack: Pack): void {
    const withHoles = this.#withHoles.get(kindOfPack(number));
    if (pack.end > pack.count) withHoles?.add(number);
    else withHoles?.delete(number);
  }

  /** In the pack with the least number: later ones then drain, and their files go. */
  #holeOf(kind: PackKind): number | undefined {
    const numbers = this.#withHoles.get(kind);
    if (numbers === undefined || numbers.size === 0) return undefined;
    let least = Infinity;
    for (const number of numbers) least = Math.min(least, number);
    const place = this.#packs.get(least)?.taken.indexOf(false) ?? -1;
    return place === -1 ? undefined : least * PACK_SLOTS + place;
  }

  #firstFreeOf(kind: PackKind): number {
    return this.#firstFree.get(kind) ?? kind.firstPack;
  }

  #nextFree(kind: PackKind, leaving: ReadonlySet<number>): number {
    for (let number = this.#firstFreeOf(kind); ; number++) {
      if (leaving.has(number)) continue;
      const place = this.#packs.get(number)?.taken.indexOf(false) ?? 0;
      if (place === -1) continue;
      // A pack that is leaving may be free before this one.
      if (leaving.size === 0) this.#firstFree.set(kind, number);
      return number * PACK_SLOTS + place;
    }
  }
}

export function packOf(slot: number): number {
  return Math.floor(slot / PACK_SLOTS);
}
