// The lane of a device next to a relay: which links have a token of it, and what whoever shows one may do.
//
// Invariants: a token is of one link, ends with it, and is good for LANE_LIFE_MS at most; a link has two at
// most, so that a request under way outlives a renewal; whatever comes in answers an open request of this
// device to that very link, and matches the hash that was asked for.

import { base64UrlOf, equalBytes } from '../../core/model/bytes.ts';
import type { BlockHash, DeviceId } from '../../core/model/ids.ts';
import {
  LANE_LIFE_MS,
  LANE_RENEW_MS,
  LANE_REQUESTS,
  LANE_TOKEN_BYTES,
  MAX_LANE_ORIGINS,
} from '../../core/model/limits.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { LaneCaller, LaneDoor, LaneHost } from '../../core/lane-port.ts';
import type { Clock, Cryptography, Memory, Random } from '../../core/ports.ts';
import type { LaneGrant } from '../../core/wire/lane-grant.ts';
import type { RunItem } from '../../core/wire/lane-run.ts';

/** Requests that one device may have under way, both ways and those of an earlier page together. */
const MAX_CALLS = 4 * LANE_REQUESTS;
const TOKENS_PER_LINK = 2;

export interface LaneGrantingPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly memory: Memory;
  readonly cryptography: Cryptography;
  readonly host: LaneHost;
  /** Whether the device is linked, and may be told anything. */
  readonly isReachable: (device: DeviceId) => boolean;
  readonly send: (to: DeviceId, grant: LaneGrant) => void;
  /** A block for the device; undefined when it is not here, or not to be had now. */
  readonly load: (to: DeviceId, hash: BlockHash) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly sent: (to: DeviceId, hash: BlockHash, byteCount: number) => void;
  readonly awaited: (from: DeviceId, id: number) => BlockHash | undefined;
  readonly arrived: (from: DeviceId, item: RunItem) => void;
}

interface Grants {
  /** By token, the older first: until when it is good. */
  readonly tokens: Map<string, MonotonicMs>;
  readonly lifetime: AbortController;
  stopRenewal: () => void;
  callCount: number;
}

export class LaneGranting implements LaneDoor {
  readonly #ports: LaneGrantingPorts;
  readonly #links = new Map<DeviceId, Grants>();
  readonly #closeDoor: () => void;

  constructor(ports: LaneGrantingPorts) {
    this.#ports = ports;
    this.#closeDoor = ports.host.open(this);
  }

  /** The device knows what a lane is. */
  speaks(device: DeviceId): void {
    if (this.#links.has(device) || !this.#ports.isReachable(device)) return;
    this.#links.set(device, {
      tokens: new Map(),
      lifetime: new AbortController(),
      stopRenewal: () => undefined,
      callCount: 0,
    });
    this.#grant(device);
  }

  linkDown(device: DeviceId): void {
    const grants = this.#links.get(device);
    this.#links.delete(device);
    grants?.stopRenewal();
    grants?.lifetime.abort();
  }

  close(): void {
    this.#closeDoor();
    for (const device of this.#links.keys()) this.linkDown(device);
  }

  callerOf(token: string): LaneCaller | undefined {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [device, grants] of this.#links) {
      const untilMs = grants.tokens.get(token);
      if (untilMs === undefined) continue;
      return untilMs > nowMs && this.#ports.isReachable(device) ? this.#caller(device, grants) : undefined;
    }
    return undefined;
  }

  #grant(device: DeviceId): void {
    const grants = this.#links.get(device);
    if (grants === undefined) return;
    const { clock, random, host } = this.#ports;
    const token = random.bytes(LANE_TOKEN_BYTES);
    grants.tokens.set(base64UrlOf(token), clock.monotonicMs() + LANE_LIFE_MS);
    for (const oldest of grants.tokens.keys()) {
      if (grants.tokens.size <= TOKENS_PER_LINK) break;
      grants.tokens.delete(oldest);
    }
    this.#ports.send(device, {
      kind: 'lane',
      origins: host.origins().slice(0, MAX_LANE_ORIGINS),
      token,
      lifeMs: LANE_LIFE_MS,
    });
    grants.stopRenewal = clock.after(LANE_RENEW_MS, () => this.#grant(device));
  }

  #caller(device: DeviceId, grants: Grants): LaneCaller {
    const { signal } = grants.lifetime;
    return {
      signal,
      begin: () => {
        if (grants.callCount >= MAX_CALLS) return undefined;
        grants.callCount += 1;
        return () => {
          grants.callCount -= 1;
        };
      },
      load: (hash) => this.#ports.load(device, hash),
      spent: (hash, bytes, isSent) => {
        if (isSent) this.#ports.sent(device, hash, bytes.length);
        this.#ports.memory.give(bytes);
      },
      memory: (byteCount) => this.#ports.memory.take(byteCount),
      take: (item) => this.#take(device, item, signal),
    };
  }

  async #take(from: DeviceId, item: RunItem, signal: AbortSignal): Promise<boolean> {
    const wanted = this.#ports.awaited(from, item.number);
    const isLate = wanted === undefined;
    if (!isLate && !equalBytes(await this.#ports.cryptography.sha256(item.bytes), wanted)) return false;
    // What came too late is dropped, as it is on the link.
    if (isLate || signal.aborted || this.#ports.awaited(from, item.number) !== wanted)
      this.#ports.memory.give(item.bytes);
    else this.#ports.arrived(from, item);
    return true;
  }
}
