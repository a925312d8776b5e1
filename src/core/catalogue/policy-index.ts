// The pool's policy, from the catalogue's entries: of each part the latest counts (latest-entry.ts), so
// members that set different parts while they were apart each get what they set. Only the geometry needs
// more: k and n that were set apart may not fit together. Then the later one counts, as if the other had
// never been set.

import {
  POLICY_PARTS,
  policyOf,
  type PolicyPart,
  type PolicyParts,
  type PoolPolicy,
} from '../model/policy.ts';
import type { WallMs } from '../model/time.ts';
import { compareEntries, LatestEntry, type LatestEntryPorts } from './latest-entry.ts';
import type { PackedEntry } from './packed-entry.ts';

export class PolicyIndex {
  readonly #latest: ReadonlyMap<PolicyPart | 'anchors', LatestEntry>;
  #policy: PoolPolicy | undefined;

  constructor(ports: Omit<LatestEntryPorts, 'says'>) {
    this.#latest = new Map(
      ([...POLICY_PARTS, 'anchors'] as const).map((part) => [
        part,
        new LatestEntry({
          ...ports,
          says: ({ kind, policyParts }) => kind === 'policy' && policyParts[part] !== undefined,
        }),
      ]),
    );
  }

  tell(nowMs: WallMs): void {
    for (const latest of this.#latest.values()) if (latest.tell(nowMs)) this.#policy = undefined;
  }

  nextDeadlineMs(): WallMs {
    return Math.min(...Array.from(this.#latest.values(), (latest) => latest.nextDeadlineMs()));
  }

  apply(entry: PackedEntry, change: 1 | -1): void {
    const parts = entry.policyParts;
    for (const [part, latest] of this.#latest) if (parts[part] !== undefined) latest.apply(entry, change);
    this.#policy = undefined;
  }

  /** The same object until an entry changes it. */
  get policy(): PoolPolicy {
    this.#policy ??= policyOf(this.#parts());
    return this.#policy;
  }

  #parts(): PolicyParts {
    const parts: Partial<Record<PolicyPart, number>> = {};
    for (const part of POLICY_PARTS) {
      const value = this.#latest.get(part)?.winner?.policyParts[part];
      if (value !== undefined) parts[part] = value;
    }
    const anchors = this.#latest.get('anchors')?.winner?.policyParts.anchors;
    return { ...this.#fitting(parts), ...(anchors === undefined ? {} : { anchors }) };
  }

  #fitting(parts: PolicyParts): PolicyParts {
    const { k, n, ...others } = parts;
    if (k === undefined || n === undefined || k <= n) return parts;
    const [ofK, ofN] = [this.#latest.get('k')?.winner, this.#latest.get('n')?.winner];
    const isKLater = ofK !== undefined && ofN !== undefined && compareEntries(ofK, ofN) > 0;
    return isKLater ? { ...others, k } : { ...others, n };
  }
}
