// The lanes that this device may use: it was given a token over the link, and its page is of that relay's
// origin. Blocks that wait go together, in runs.
//
// Invariants: a block that does not come by the lane is left to the link, whatever happened; after a request
// that failed the lane rests; no token goes anywhere but to the page's own origin.

import { base64UrlOf } from '../../core/model/bytes.ts';
import type { BlockHash, DeviceId } from '../../core/model/ids.ts';
import { LANE_ASKED_BLOCKS, LANE_REST_MS, LANE_RUN_BLOCKS } from '../../core/model/limits.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Brought, LaneClient } from '../../core/lane-port.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { LaneGrant } from '../../core/wire/lane-grant.ts';
import type { RunItem } from '../../core/wire/lane-run.ts';
import { RunQueue } from './run-queue.ts';

interface OpenLane {
  token: string;
  untilMs: MonotonicMs;
  restsUntilMs: MonotonicMs;
  readonly fetching: RunQueue<BlockHash, Uint8Array<ArrayBuffer>>;
  readonly bringing: RunQueue<RunItem, Brought>;
}

export class LaneUse {
  readonly #client: LaneClient;
  readonly #clock: Clock;
  readonly #lanes = new Map<DeviceId, OpenLane>();
  readonly #checked = new WeakSet<Uint8Array>();

  constructor(client: LaneClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  granted(from: DeviceId, { origins, token, lifeMs }: LaneGrant): void {
    if (!origins.includes(this.#client.origin)) return this.linkDown(from);
    const lane = this.#lanes.get(from) ?? this.#newLane();
    lane.token = base64UrlOf(token);
    lane.untilMs = this.#clock.monotonicMs() + lifeMs;
    this.#lanes.set(from, lane);
  }

  linkDown(device: DeviceId): void {
    const lane = this.#lanes.get(device);
    this.#lanes.delete(device);
    lane?.fetching.end();
    lane?.bringing.end();
  }

  /** Undefined where it does not come by the lane. */
  async fetch(from: DeviceId, hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#usable(from)?.fetching.add(hash);
    if (bytes !== undefined) this.#checked.add(bytes);
    return bytes;
  }

  /** Whether these bytes came by the lane, and were found to match their hash. */
  hasChecked(bytes: Uint8Array): boolean {
    return this.#checked.has(bytes);
  }

  /** Brings a block that answers request `id` of the device. Takes ownership of the bytes. */
  async bring(to: DeviceId, id: number, bytes: Uint8Array<ArrayBuffer>): Promise<Brought> {
    return (await this.#usable(to)?.bringing.add({ number: id, bytes })) ?? { isTaken: false, bytes };
  }

  #usable(device: DeviceId): OpenLane | undefined {
    const lane = this.#lanes.get(device);
    const nowMs = this.#clock.monotonicMs();
    return lane !== undefined && nowMs < lane.untilMs && nowMs >= lane.restsUntilMs ? lane : undefined;
  }

  #newLane(): OpenLane {
    const lane: OpenLane = {
      token: '',
      untilMs: -Infinity,
      restsUntilMs: -Infinity,
      fetching: new RunQueue(LANE_ASKED_BLOCKS, async (hashes, give) => {
        const isSound = await orFailed(this.#client.fetchBlocks(lane.token, hashes, give));
        if (isSound !== true) this.#rest(lane);
      }),
      bringing: new RunQueue(LANE_RUN_BLOCKS, async (items, give) => {
        const brought = await orFailed(this.#client.bringBlocks(lane.token, items));
        const isTaken = brought?.isTaken === true;
        if (!isTaken) this.#rest(lane);
        for (const at of items.keys()) give(at, { isTaken, bytes: brought?.bytes[at] });
      }),
    };
    return lane;
  }

  #rest(lane: OpenLane): void {
    lane.restsUntilMs = this.#clock.monotonicMs() + LANE_REST_MS;
    lane.fetching.dropWaiting();
    lane.bringing.dropWaiting();
  }
}

async function orFailed<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isPalmError(error)) throw error;
    return undefined;
  }
}
