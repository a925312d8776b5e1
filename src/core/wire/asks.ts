// What a device asks another one for (FORMATS.md, messages). An ask may say which request of which program it
// is part of, to devices with the feature `trace` alone: older ones close the link over the field.

import { cidOf, parseBlockHash, type BlockHash, type FileId } from '../model/ids.ts';
import { traceMarkOf, type TraceMark } from './trace-mark.ts';
import { fieldsOf, listOf, mapOf, type Fields } from '../encoding/decode.ts';
import { MAX_PLACES_PER_MESSAGE, placeOf, placeToCbor, requestIdOf, type Place } from './places.ts';

/** Asks may have a `trace`. */
export const TRACE_FEATURE = 'trace';

/** What a device can be asked for. */
export type Wanted =
  | { readonly kind: 'get-index'; readonly file: FileId; readonly fragment: number }
  | { readonly kind: 'get-block'; readonly hash: BlockHash }
  /** Small fragments, whole; at most as many as one answer holds. */
  | { readonly kind: 'get-fragments'; readonly places: readonly Place[] };

/** The same, and the request that it is part of. */
export type Ask = Wanted & { readonly trace?: TraceMark };

export type AskMessage = Ask & { readonly id: number };

export function askToCbor(ask: AskMessage): unknown {
  switch (ask.kind) {
    case 'get-index':
      return { ...ask, file: cidOf(ask.file) };
    case 'get-block':
      return ask;
    case 'get-fragments':
      return { ...ask, places: ask.places.map(placeToCbor) };
  }
}

export function getIndexOf(value: unknown): AskMessage & { kind: 'get-index' } {
  const { id, file, fragment, ...trace } = askFieldsOf(value, ['file', 'fragment']);
  return { kind: 'get-index', id: requestIdOf(id), ...placeOf([file, fragment]), ...traced(trace) };
}

export function getBlockOf(value: unknown): AskMessage & { kind: 'get-block' } {
  const { id, hash, ...trace } = askFieldsOf(value, ['hash']);
  return { kind: 'get-block', id: requestIdOf(id), hash: parseBlockHash(hash), ...traced(trace) };
}

export function getFragmentsOf(value: unknown): AskMessage & { kind: 'get-fragments' } {
  const { id, places, ...trace } = askFieldsOf(value, ['places']);
  return {
    kind: 'get-fragments',
    id: requestIdOf(id),
    places: listOf(places, MAX_PLACES_PER_MESSAGE, placeOf),
    ...traced(trace),
  };
}

function askFieldsOf(value: unknown, keys: readonly string[]): Fields {
  const hasTrace = Object.hasOwn(mapOf(value), 'trace');
  return fieldsOf(value, ['kind', 'id', ...keys, ...(hasTrace ? ['trace'] : [])]);
}

function traced(fields: Fields): { readonly trace?: TraceMark } {
  const { trace } = fields;
  return trace === undefined ? {} : { trace: traceMarkOf(trace) };
}
