// The sum of the counts of the last `npm test` and the last `npm run test:long`: `N passed, N failed`.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const counts = ['test', 'long'].map((kind) => {
  const file = new URL(`../node_modules/.cache/totals/${kind}.json`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(file), 'utf8'));
});
const sum = (/** @type {'passed' | 'failed'} */ key) => counts.reduce((all, count) => all + count[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
