// The public face as it was committed: test/fixtures/public-face has one text file for each part, a line for each fact.
// test/unit/public-face.test.ts and test/e2e/public-face.spec.ts compare it with what Palm shows now. A change that is meant is
// recorded by running the two with PALM_RECORD_FACE=1, and the difference is reviewed like code.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('fixtures/public-face/', import.meta.url);

/** What was committed of `part`; when recording, `found` becomes that. */
export function committedFace(part: string, found: string): string {
  const file = fileURLToPath(new URL(`${part}.txt`, FOLDER));
  if (process.env['PALM_RECORD_FACE'] === '1') writeFileSync(file, found);
  return readFileSync(file, 'utf8');
}

export function linesOf(facts: readonly string[]): string {
  return facts.map((fact) => `${fact}\n`).join('');
}

/**
 * The shape that plain data has in all `samples` together, whatever their values: a line for each path and the types seen there,
 * sorted. `[]` stands for every item of a list; `?` follows a key that some object at that place lacks.
 */
export function shapeOf(samples: readonly unknown[], path = ''): string[] {
  const types = samples.filter((sample) => typeof sample !== 'object').map((sample) => typeof sample);
  const nulls = samples.includes(null) ? ['null'] : [];
  const names = [...new Set([...types, ...nulls])].toSorted();
  const own = names.length === 0 ? [] : [`${path}: ${names.join(' | ')}`];
  const lists = samples.filter((sample) => Array.isArray(sample));
  const items = lists.flatMap((list: readonly unknown[]) => list);
  const objects = samples.filter((sample) => isRecord(sample));
  const keys = [...new Set(objects.flatMap((object) => Object.keys(object)))].toSorted();
  const fields = keys.flatMap((key) => {
    const having = objects.filter((object) => object[key] !== undefined);
    const mark = having.length < objects.length ? '?' : '';
    const inside = path === '' ? `${key}${mark}` : `${path}.${key}${mark}`;
    return shapeOf(
      having.map((object) => object[key]),
      inside,
    );
  });
  return [...own, ...(items.length === 0 ? [] : shapeOf(items, `${path}[]`)), ...fields];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
