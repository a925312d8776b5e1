// Checks of decoded DAG-CBOR values. Every record and message from a peer or a disk passes these checks
// before anything else touches it. Each check throws only PalmError 'bad-message'.

import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { PalmError } from '../model/errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Decodes DAG-CBOR.
 * @throws PalmError 'bad-message' for anything but strict DAG-CBOR of at most `maxBytes`.
 */
export function decodeCbor(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.length > maxBytes) throw bad(`a record of ${bytes.length} bytes exceeds ${maxBytes}`);
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    throw new PalmError({ code: 'bad-message', what: 'record', detail: 'it is not DAG-CBOR' }, { cause });
  }
}

/** Returns a buffer of its own, whatever pools the encoder draws from. The caller owns it. */
export function encodeCbor(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(dagCbor.encode(value));
}

/** A map with exactly `keys`. */
export function fieldsOf(value: unknown, keys: readonly string[]): Fields {
  const fields = openFieldsOf(value, keys);
  if (Object.keys(fields).length !== keys.length) throw bad(`a map must have exactly ${keys.join(', ')}`);
  return fields;
}

/** A map with at least `keys`. Other keys, which later versions may add, are ignored. */
export function openFieldsOf(value: unknown, keys: readonly string[]): Fields {
  const map = mapOf(value);
  if (!keys.every((key) => Object.hasOwn(map, key))) throw bad(`a map must have ${keys.join(', ')}`);
  return map;
}

/** A map with any keys. */
export function mapOf(value: unknown): Fields {
  const isMap =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof CID);
  if (!isMap) throw bad('a map was expected');
  return value as Fields; // a plain map, checked above
}

/** The `kind` of a map, before its other keys are checked. */
export function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'kind'))
    throw bad('a kind was expected');
  const { kind } = value as { kind: unknown }; // present, checked above
  if (typeof kind !== 'string') throw bad('a kind must be text');
  return kind;
}

export function uintOf(value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw bad(`a whole number from 0 to ${max} was expected`);
  }
  return value;
}

export function boolOf(value: unknown): boolean {
  if (typeof value !== 'boolean') throw bad('true or false was expected');
  return value;
}

/** Bytes of `min` to `max` length. Not copied. */
export function bytesOf(value: unknown, min: number, max: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw bad(`${min} to ${max} bytes were expected`);
  }
  return value;
}

/** Well-formed text of at most `maxBytes` in UTF-8. */
export function textOf(value: unknown, maxBytes: number): string {
  if (typeof value !== 'string' || utf8Length(value) > maxBytes) {
    throw bad(`text of at most ${maxBytes} bytes was expected`);
  }
  return value;
}

export function listOf<Item>(value: unknown, max: number, item: (value: unknown) => Item): Item[] {
  if (!Array.isArray(value) || value.length > max) throw bad(`a list of at most ${max} items was expected`);
  return value.map(item);
}

/** A link (CBOR tag 42), not yet parsed as an id: records never write ids as text. */
export function linkOf(value: unknown): CID {
  if (!(value instanceof CID)) throw bad('a link was expected');
  return value;
}

/** An array of exactly `length` items. */
export function tupleOf(value: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw bad(`a list of ${length} items was expected`);
  return value;
}

export function oneOf<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw bad(`one of ${choices.join(', ')} was expected`);
  return found;
}

/** Bytes of `text` in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function bad(what: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'record', detail: what });
}
