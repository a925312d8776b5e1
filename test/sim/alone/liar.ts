// A member that claims fragments of every file and takes what it is offered, and has nothing of it.

import { parseFileId, type DeviceId } from '../../../src/core/model/ids.ts';
import { fragmentCap } from '../../../src/core/model/limits.ts';
import { packFragments } from '../../../src/core/placement/fragment-set.ts';
import type { Message } from '../../../src/core/wire/messages.ts';
import type { Place } from '../../../src/core/wire/places.ts';
import type { SimDevice, SimNetwork } from '../device.ts';
import { HostileMember } from '../hostile-member.ts';
import type { Scene } from './scene.ts';

/** How often it says what it claims, ms. */
const CLAIM_EVERY_MS = 30_000;
const FREE_BYTES = 2 ** 30;

export class Liar {
  readonly #scene: Scene;
  readonly #member: HostileMember;
  /** By content, what it claims. */
  readonly #claims = new Map<string, Set<number>>();
  #isThere = true;

  constructor(scene: Scene, network: SimNetwork, member: SimDevice) {
    this.#scene = scene;
    this.#member = new HostileMember(scene.world, network, member);
    this.#member.onMessage = (from, message) => this.#answer(from, message);
  }

  get id(): DeviceId {
    return this.#member.id;
  }

  async join(): Promise<void> {
    const entry = await this.#member.entry({ kind: 'profile', name: 'liar' });
    this.#member.greeting = [...this.#member.greeting, { kind: 'entries', entries: [entry], more: false }];
    this.#member.open();
    this.#claimAll();
  }

  vanish(): void {
    if (this.#isThere) this.#member.vanish();
    this.#isThere = false;
  }

  #claimAll(): void {
    if (!this.#isThere) return;
    for (const [contentId, { k, n }] of this.#scene.geometries) {
      if (this.#claims.has(contentId)) continue;
      const count = Math.min(n, 1 + this.#scene.random.below(fragmentCap(k)));
      this.#claims.set(contentId, new Set(Array.from({ length: count }, () => this.#scene.random.below(n))));
    }
    for (const device of this.#member.linked) this.#member.send(device, this.#claim());
    this.#scene.world.after(CLAIM_EVERY_MS, () => this.#claimAll());
  }

  #claim(): Message {
    const held = [...this.#claims].map(([file, fragments]) => ({
      file: parseFileId(file),
      fragments: packFragments(fragments),
    }));
    return { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: FREE_BYTES };
  }

  #answer(from: DeviceId, message: Message): void {
    if (!this.#isThere) return;
    switch (message.kind) {
      case 'hello':
      case 'holdings-wanted':
        this.#member.send(from, this.#claim());
        break;
      case 'place':
        for (const place of message.places) this.#take(place);
        this.#scene.world.after(200, () => {
          if (this.#isThere && this.#member.linked.has(from)) this.#member.send(from, this.#claim());
        });
        break;
      case 'challenge': {
        const digests = message.asks.map(() => this.#scene.random.bytes(32));
        this.#member.send(from, { kind: 'proof', id: message.id, digests });
        break;
      }
      case 'get-index':
      case 'get-block':
      case 'get-fragments':
        if (this.#scene.random.below(2) === 0)
          this.#member.send(from, { kind: 'failed', id: message.id, reason: 'busy' });
        break;
      default:
        break;
    }
  }

  #take({ file, fragment }: Place): void {
    const claimed = this.#claims.get(file) ?? new Set();
    this.#claims.set(file, claimed.add(fragment));
  }
}
