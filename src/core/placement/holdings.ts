// Who claims to hold what: soft state, sent by each holder for itself in numbered deltas. It is kept with its
// age, so that the fragments of an absent device are remembered without being counted as reachable.
//
// Invariants: a claim counts only for a file of the catalogue, a fragment that the file has, and a device
// that is a member. A claim that comes before the entry it needs is kept within a bound. Claims beyond it are
// asked for again, because deltas are not sent twice.

import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentsBelow, NO_FRAGMENTS, unpackFragments } from './fragment-set.ts';
import type { FragmentSet, PackedFragments } from './fragment-set.ts';
import type { WallMs } from '../model/time.ts';

/** What one device holds of one file. An empty set: nothing, from now on. */
export interface Holding {
  readonly file: FileId;
  readonly fragments: PackedFragments;
}

/** A step from version `base` to `base + 1` of the sender's holdings; base 0 starts again from nothing. */
export interface HoldingsDelta {
  readonly base: number;
  readonly held: readonly Holding[];
  /** Bytes of all fragments that the sender holds, and bytes that it still offers. */
  readonly heldBytes: number;
  readonly freeBytes: number;
}

export interface DeviceHoldings {
  readonly version: number;
  readonly files: ReadonlyMap<FileId, PackedFragments>;
  readonly heldBytes: number;
  readonly freeBytes: number;
  readonly heardAtMs: WallMs;
}

/** What the catalogue says about a claim. */
export interface ClaimRules {
  /**
   * Fragments of a file that the catalogue knows, even one that lost its names: another name may come.
   * 'unknown' while its entry may still come.
   */
  fragmentCountOf(file: FileId): number | 'unknown';
  standingOf(device: DeviceId): 'member' | 'stranger' | 'left';
}

interface Known extends DeviceHoldings {
  readonly files: Map<FileId, PackedFragments>;
  /** Claims that need an entry which is not here yet. */
  readonly early: Map<FileId, PackedFragments>;
  /** Whether more early claims came than are kept. */
  missed: boolean;
}

/** Of a device that claims more files than this, only the first ones are believed. */
const MAX_FILES_PER_DEVICE = 200_000;
/** Claims kept until their entries come, of one device and of all: some 150 bytes each. */
const MAX_EARLY_PER_DEVICE = 2_048;
const MAX_EARLY = 32_768;

export class Holdings {
  readonly #rules: ClaimRules;
  readonly #devices = new Map<DeviceId, Known>();
  #earlyCount = 0;
  #revision = 0;

  constructor(rules: ClaimRules) {
    this.#rules = rules;
  }

  /** Changes with what `all` returns, and with what of it is doubted. */
  get revision(): number {
    return this.#revision;
  }

  /** False when the delta does not follow the known version: ask the device for all of its holdings. */
  apply(device: DeviceId, delta: HoldingsDelta, nowMs: WallMs): boolean {
    const { base, held, heldBytes, freeBytes } = delta;
    const before = this.#devices.get(device);
    if (base !== 0 && base !== before?.version) return false;
    this.#revision += 1;
    const isAnew = base === 0 || before === undefined;
    if (isAnew) this.#forgetEarly(before);
    const known: Known = {
      version: base + 1,
      files: isAnew ? new Map() : before.files,
      early: isAnew ? new Map() : before.early,
      missed: isAnew ? false : before.missed,
      heldBytes,
      freeBytes,
      heardAtMs: nowMs,
    };
    this.#devices.set(device, known);
    const standing = this.#rules.standingOf(device);
    if (standing === 'left') return true;
    for (const { file, fragments } of held) this.#claim(known, standing === 'member', file, fragments);
    return true;
  }

  /**
   * Restores what was remembered over a restart; the catalogue must be restored first. The device never
   * continues from the restored version.
   */
  restore(
    device: DeviceId,
    files: ReadonlyMap<FileId, PackedFragments>,
    heldBytes: number,
    heardAtMs: WallMs,
  ): void {
    if (this.#rules.standingOf(device) !== 'member') return;
    const counted = new Map<FileId, PackedFragments>();
    for (const [file, fragments] of files) {
      const count = this.#rules.fragmentCountOf(file);
      if (typeof count === 'number') counted.set(file, fragmentsBelow(fragments, count));
    }
    const known = { version: -1, files: counted, early: new Map(), missed: false };
    this.#devices.set(device, { ...known, heldBytes, freeBytes: 0, heardAtMs });
  }

  /** The device left, or its disk is gone. */
  forget(device: DeviceId): void {
    this.#forgetEarly(this.#devices.get(device));
    if (this.#devices.delete(device)) this.#revision += 1;
  }

  /** The link with the device is down: a stranger's claims are forgotten. */
  linkDown(device: DeviceId): void {
    if (this.#rules.standingOf(device) !== 'member') this.forget(device);
  }

  /** Which claims count elsewhere has changed. */
  doubted(): void {
    this.#revision += 1;
  }

  /** The device is now a member: its earlier claims count. */
  admitted(device: DeviceId): void {
    const known = this.#devices.get(device);
    // A copy: each claim is taken out, and put back if its file is unknown.
    for (const file of Array.from(known?.early.keys() ?? [])) this.#recount(device, file);
  }

  /** The file is now in the catalogue: earlier claims on it count. */
  fileAdded(file: FileId): void {
    if (this.#earlyCount === 0) return;
    for (const [device, { early }] of this.#devices) if (early.has(file)) this.#recount(device, file);
  }

  /** The catalogue no longer knows the file. */
  fileLost(file: FileId): void {
    this.#revision += 1;
    for (const known of this.#devices.values()) {
      known.files.delete(file);
      this.#dropEarly(known, file);
    }
  }

  /** Devices whose claims were dropped since the last call because they came too early: ask them for all. */
  takeMissed(): DeviceId[] {
    const missed = [...this.#devices].filter(([, known]) => known.missed);
    for (const [, known] of missed) known.missed = false;
    return missed.map(([device]) => device);
  }

  of(device: DeviceId): DeviceHoldings | undefined {
    return this.#devices.get(device);
  }

  fragmentsOf(device: DeviceId, file: FileId): FragmentSet {
    return unpackFragments(this.#devices.get(device)?.files.get(file) ?? NO_FRAGMENTS);
  }

  /** Every device that holds some of `file`. */
  holdersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = new Map<DeviceId, FragmentSet>();
    for (const [device, { files }] of this.#devices) {
      const fragments = files.get(file);
      if (fragments !== undefined) holders.set(device, unpackFragments(fragments));
    }
    return holders;
  }

  all(): ReadonlyMap<DeviceId, DeviceHoldings> {
    return this.#devices;
  }

  #claim(known: Known, isMember: boolean, file: FileId, fragments: PackedFragments): void {
    known.files.delete(file);
    this.#dropEarly(known, file);
    if (fragments === NO_FRAGMENTS) return;
    const count = this.#rules.fragmentCountOf(file);
    if (isMember && count !== 'unknown') {
      // Fragments that the file does not have are a lie, and would count as safety.
      const real = fragmentsBelow(fragments, count);
      if (real !== NO_FRAGMENTS && known.files.size < MAX_FILES_PER_DEVICE) known.files.set(file, real);
    } else if (known.early.size < MAX_EARLY_PER_DEVICE && this.#earlyCount < MAX_EARLY) {
      known.early.set(file, fragments);
      this.#earlyCount += 1;
    } else {
      known.missed = true;
    }
  }

  #recount(device: DeviceId, file: FileId): void {
    const known = this.#devices.get(device);
    const fragments = known?.early.get(file);
    if (known === undefined || fragments === undefined) return;
    this.#revision += 1;
    this.#claim(known, this.#rules.standingOf(device) === 'member', file, fragments);
  }

  #dropEarly(known: Known, file: FileId): void {
    if (known.early.delete(file)) this.#earlyCount -= 1;
  }

  #forgetEarly(known: Known | undefined): void {
    this.#earlyCount -= known?.early.size ?? 0;
  }
}
