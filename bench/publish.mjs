// `npm run bench:publish`: merges the results in bench/results into docs/benchmarks.json, and makes
// docs/benchmarks.svg and the tables of docs/BENCHMARKS.md from it. If any result has a scale other than 1,
// nothing is written.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chartOf } from './chart.mjs';
import { merge, withFigures } from './published.mjs';

const RESULTS = new URL('results/', import.meta.url);
const DATA = new URL('../docs/benchmarks.json', import.meta.url);
const CHART = new URL('../docs/benchmarks.svg', import.meta.url);
const PAGE = new URL('../docs/BENCHMARKS.md', import.meta.url);

const names = existsSync(RESULTS) ? readdirSync(RESULTS).filter((name) => name.endsWith('.json')) : [];
if (names.length === 0) {
  console.error('There are no results: run `npm run bench` first.');
  process.exit(1);
}
const published = existsSync(DATA) ? JSON.parse(readFileSync(DATA, 'utf8')) : [];
const results = names.map((name) => JSON.parse(readFileSync(new URL(name, RESULTS), 'utf8')));
let benches;
try {
  benches = merge(published, results);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const page = withFigures(readFileSync(PAGE, 'utf8'), benches);
writeFileSync(DATA, `${JSON.stringify(benches, undefined, 2)}\n`);
writeFileSync(CHART, chartOf(benches));
writeFileSync(PAGE, page);
console.log(`Published: ${results.map(({ name }) => name).join(', ')}.`);
