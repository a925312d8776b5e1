// What a device keeps of other parts of its pool, which were upgraded apart (FORMATS.md, parts that become
// one): their charters, and of some the acts, which have no effect here but are judged by themselves.

import type { EntryId } from '../../model/ids.ts';
import { MAX_CHARTERS, MAX_PARTS_UNITS } from '../../model/limits.ts';
import type { CheckedAct } from './act.ts';
import { ActGraph, type PlacedAct } from './act-graph.ts';
import { knownAct, type KnownAct } from './known-act.ts';
import { standingsOf, type Standings } from './standing.ts';

/** One that is known. */
export interface OtherPart {
  readonly charter: CheckedAct;
  readonly placed: readonly PlacedAct[];
  readonly standings: Standings;
}

export class OtherParts {
  readonly #charters = new Map<EntryId, CheckedAct>();
  readonly #graphs = new Map<EntryId, ActGraph<KnownAct>>();
  readonly #standings = new Map<EntryId, Standings>();
  /** Grows with all that is added. */
  version = 0;

  charters(): readonly CheckedAct[] {
    return [...this.#charters.values()];
  }

  find(charter: EntryId): OtherPart | undefined {
    const [act, graph] = [this.#charters.get(charter), this.#graphs.get(charter)];
    if (act === undefined || graph === undefined) return undefined;
    const standings = this.#standings.get(charter) ?? standingsOf(graph.acts, charter);
    this.#standings.set(charter, standings);
    return { charter: act, placed: graph.acts, standings };
  }

  /** Each after those that it has seen. */
  actsOf(charter: EntryId): CheckedAct[] {
    return this.#graphs.get(charter)?.acts.map(({ checked }) => checked) ?? [];
  }

  /** `mayGo`: where there is no room, the first of which this holds gives up its place. */
  addCharter(checked: CheckedAct, mayGo: (kept: CheckedAct) => boolean): void {
    const { id } = checked.record;
    if (this.#charters.has(id)) return;
    if (this.#charters.size >= MAX_CHARTERS) {
      const going = this.charters().find(mayGo);
      if (going === undefined) return;
      for (const map of [this.#charters, this.#graphs, this.#standings]) map.delete(going.record.id);
    }
    this.#charters.set(id, checked);
    const graph = new ActGraph<KnownAct>(id);
    graph.add(knownAct(checked));
    this.#graphs.set(id, graph);
    this.version += 1;
  }

  /** The part that an act is of: the one that has what it has seen. */
  homeOf({ record: { body } }: CheckedAct): EntryId | undefined {
    for (const [charter, graph] of this.#graphs) if (body.seen.some((id) => graph.has(id))) return charter;
    return undefined;
  }

  add(charter: EntryId, checked: CheckedAct): void {
    const graph = this.#graphs.get(charter);
    const act = knownAct(checked);
    const units = [...this.#graphs.values()].reduce((all, each) => all + each.units, act.units);
    if (graph === undefined || units > MAX_PARTS_UNITS || graph.add(act).length === 0) return;
    this.#standings.delete(charter);
    this.version += 1;
  }
}
