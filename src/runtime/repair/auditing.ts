// Audits what others claim (core/repair/audit-plan.ts): fetches the index of a fragment and one of its blocks
// from the device that claims it, as a read would, and checks both. What comes of it is the peer's to judge.
//
// Invariants: one at a time, within the part of the links that background work may use, and none while this
// device spares itself. The index, which has a key share, is let go of with its audit.

import { fragmentIndexOf } from '../../core/coding/fragment-index.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockBytesOf } from '../../core/model/geometry.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import {
  NO_FRAGMENTS,
  packFragments,
  unpackFragments,
  type PackedFragments,
} from '../../core/placement/fragment-set.ts';
import type { Clock, Cryptography, Memory, Random } from '../../core/ports.ts';
import { AuditPlan, type Audit, type AuditOutcome, type Claim } from '../../core/repair/audit-plan.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import type { Sparing } from '../runtime-ports.ts';
import { evidenceOf } from '../read/evidence.ts';
import type { LinkShare } from './link-share.ts';

export interface AuditingPorts {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly random: Random;
  readonly cryptography: Pick<Cryptography, 'sha256'>;
  readonly sparing: Sparing;
  readonly driver: Pick<PeerDriver, 'peer' | 'request' | 'input'>;
  readonly share: LinkShare;
  readonly audited?: ((bytes: number) => void) | undefined;
}

/** A page that opens has other things to do, and its links come up one by one, ms. */
const FIRST_AFTER_MS = 20_000;
/** How often it looks whether something is due, ms. */
const LOOK_EVERY_MS = 10_000;

export class Auditing {
  readonly #ports: AuditingPorts;
  readonly #failed: (error: unknown) => void;
  readonly #lifetime = new AbortController();
  #plan: AuditPlan | undefined;
  #stopTimer: () => void = () => undefined;
  #auditing: Promise<void> | undefined;

  /** `failed` is told of bugs only. */
  constructor(ports: AuditingPorts, failed: (error: unknown) => void) {
    this.#ports = ports;
    this.#failed = failed;
  }

  start(): void {
    this.#plan = new AuditPlan(this.#ports.clock.monotonicMs(), {
      devices: () => this.#devices(),
      countedOf: (device) => this.#claimsOf(device, true),
      isDoubted: (device) => this.#ports.driver.peer.doubts.has(device),
      doubtedOf: (device) => this.#claimsOf(device, false),
      takeContested: () => this.#ports.driver.peer.doubts.contested.take(),
      holdsOf: (file) => this.#ports.driver.peer.own.of(file).size > 0,
      draw: () => this.#draw(),
    });
    this.#later(FIRST_AFTER_MS);
  }

  /** Resolves when nothing is asked any more. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    this.#stopTimer();
    await this.#auditing;
  }

  #later(ms: number): void {
    if (this.#lifetime.signal.aborted) return;
    this.#stopTimer = this.#ports.clock.after(ms, () => {
      this.#auditing = this.#step();
    });
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    let waitMs = LOOK_EVERY_MS;
    try {
      waitMs = (await this.#auditOne()) ?? LOOK_EVERY_MS;
    } catch (error) {
      if (!isPalmError(error)) this.#failed(error);
    }
    this.#later(waitMs);
  }

  /** Returns the time until the next, ms; undefined when none was due. */
  async #auditOne(): Promise<number | undefined> {
    const { clock, driver, share, sparing } = this.#ports;
    if (sparing.reason !== undefined) return undefined;
    const audit = this.#plan?.next(clock.monotonicMs());
    if (audit === undefined) return undefined;
    await share.ready([audit.device], this.#lifetime.signal);
    const outcome = this.#canCompare(audit) ? 'own' : await this.#outcomeOf(audit);
    if (outcome !== 'cut') driver.input({ kind: 'audited', ...audit, outcome });
    return this.#plan?.ended(clock.monotonicMs(), audit, outcome);
  }

  /** Whether the device is doubted, and can prove all of what this device has as well. */
  #canCompare({ device, file, fragment }: Audit): boolean {
    const { peer } = this.#ports.driver;
    return peer.doubts.isDoubted(device, { file, fragment }) && peer.own.of(file).has(fragment);
  }

  async #outcomeOf(audit: Audit): Promise<AuditOutcome> {
    try {
      return await this.#ask(audit);
    } catch (error) {
      if (!isPalmError(error)) throw error;
      if (isPalmError(error, 'deadline'))
        return this.#ports.driver.peer.isReachable(audit.device) ? 'none' : 'cut';
      return evidenceOf(error) ?? 'cut';
    }
  }

  /** @throws PalmError when it gave nothing, or no index. */
  async #ask({ device, file, fragment }: Audit): Promise<AuditOutcome> {
    const { driver, memory, cryptography } = this.#ports;
    const { signal } = this.#lifetime;
    const manifest = driver.peer.catalogue.files().get(file);
    // It was removed meanwhile.
    if (manifest === undefined) return 'cut';
    const index = await driver.request(device, { kind: 'get-index', file, fragment }, signal);
    this.#spend(device, index.length);
    const { blocks } = fragmentIndexOf(index, manifest, fragment);
    const segment = this.#draw() % Math.max(1, blocks.length);
    const hash = blocks[segment];
    // A file without bytes has no blocks.
    if (hash === undefined) return 'given';
    const block = await driver.request(device, { kind: 'get-block', hash }, signal);
    this.#spend(device, block.length);
    const isLong = block.length === blockBytesOf(manifest, segment);
    const isSound = isLong && equalBytes(await cryptography.sha256(block), hash);
    memory.give(block);
    return isSound ? 'given' : 'wrong';
  }

  #spend(device: DeviceId, bytes: number): void {
    this.#ports.share.spend(device, bytes);
    this.#ports.audited?.(bytes);
  }

  /** A whole number below 2^32. */
  #draw(): number {
    return new DataView(this.#ports.random.bytes(4).buffer).getUint32(0);
  }

  #devices(): DeviceId[] {
    const { peer } = this.#ports.driver;
    const [, ...others] = peer.reachableDevices();
    return others.filter((device) => peer.catalogue.isMember(device));
  }

  /** The device's claims that count here, or those that do not. */
  *#claimsOf(device: DeviceId, doCount: boolean): Iterable<Claim> {
    const { peer } = this.#ports.driver;
    const files = peer.catalogue.files();
    for (const [file, claimed] of peer.holdings.of(device)?.files ?? []) {
      // What this device places itself, it has proved.
      if (!files.has(file) || peer.inOutbox(file)) continue;
      const counted = peer.doubts.countedPacked(device, file, claimed);
      const some = doCount ? counted : fragmentsWithout(claimed, counted);
      if (some.length > 0) yield [file, some];
    }
  }
}

function fragmentsWithout(claimed: PackedFragments, counted: PackedFragments): PackedFragments {
  if (claimed === counted) return NO_FRAGMENTS;
  const others = unpackFragments(counted);
  return packFragments([...unpackFragments(claimed)].filter((fragment) => !others.has(fragment)));
}
