// Published benchmark results: only those measured at full size, nothing lost, and missed targets shown as
// missed.

import { expect, test } from 'vitest';
import { chartOf } from '../../../bench/chart.mjs';
import { isReached, merge, withFigures } from '../../../bench/published.mjs';
import type { AmountLine, BenchResult, Line, RatioLine } from '../../../bench/results.ts';

const PAGE =
  'Above.\n\n<!-- benchmarks: written by npm run bench:publish -->\nold\n<!-- /benchmarks -->\n\nBelow.\n';

function ratio(label: string, median: number, atLeast?: number): RatioLine {
  return {
    kind: 'ratio',
    label,
    unit: 'MB/s',
    better: 'more',
    palm: { label: 'Palm', values: [10 * median] },
    beside: { label: 'other', values: [10] },
    figure: { median, least: median / 2, most: median * 2 },
    palmMedian: 10 * median,
    besideMedian: 10,
    ...(atLeast === undefined ? {} : { atLeast }),
  };
}

function amount(label: string, median: number, atMost?: number): AmountLine {
  return {
    kind: 'amount',
    label,
    unit: 'MiB',
    palm: { label: 'peak', values: [median] },
    figure: { median, least: median, most: median },
    palmMedian: median,
    ...(atMost === undefined ? {} : { atMost }),
  };
}

function result(name: string, lines: readonly Line[], scale = 1): BenchResult {
  return {
    name,
    title: `Title of ${name}`,
    at: '2026-11-21T12:00:00.000Z',
    machine: { cpu: 'a cpu', cores: 2, node: '20.19.0', engine: 'Chromium 156' },
    scale,
    repeats: 5,
    lines,
    details: { internal: true },
  };
}

test('refuses a result at another scale, and names it', () => {
  const results = [result('fine', [ratio('a', 2)]), result('small', [ratio('b', 2)], 0.1)];
  expect(() => merge([], results)).toThrow(/small \(0\.1\)/);
});

test('keeps published results of other benches, and replaces those that were measured again', () => {
  const published = merge([], [result('one', [ratio('a', 2, 3)]), result('two', [ratio('b', 2)])]);
  const again = merge(published, [result('one', [ratio('a', 4, 3)])]);
  expect(again.map(({ name, lines }) => [name, lines[0]?.figure.median])).toEqual([
    ['one', 4],
    ['two', 2],
  ]);
  // Survives a round trip through its file.
  expect(JSON.parse(JSON.stringify(again))).toEqual(again);
});

test('shows the benches in one order, whichever was run last', () => {
  const [memory, transfer, other] = ['memory', 'transfer', 'another'].map((name) => result(name, []));
  if (memory === undefined || transfer === undefined || other === undefined) throw new Error('made above');
  expect(merge([], [memory, other, transfer]).map(({ name }) => name)).toEqual([
    'transfer',
    'memory',
    'another',
  ]);
});

test('a target is met by the median itself, not by the best', () => {
  expect(isReached(ratio('a', 2.9, 3))).toBe(false);
  expect(isReached(ratio('a', 3, 3))).toBe(true);
  expect(isReached(ratio('a', 3))).toBeUndefined();
  expect(isReached(amount('a', 50.1, 50))).toBe(false);
  expect(isReached(amount('a', 50, 50))).toBe(true);
});

test('the chart holds every ratio and every amount with a limit, its verdict in words', () => {
  const lines = [
    ratio('beside <another> & more', 12, 10),
    ratio('missed ratio', 0.4, 0.85),
    ratio('no target', 1),
    amount('missed amount', 95.3, 50),
    amount('nothing at all', 0, 50),
    amount('no limit', 7),
  ];
  const chart = chartOf(merge([], [result('one', lines)]));
  expect(chart).toContain('beside &lt;another&gt; &amp; more');
  expect(chart).toContain('12.0×, target 10×, met');
  expect(chart).toContain('0.40×, target 0.85×, missed');
  expect(chart).toContain('>1.00×<');
  expect(chart).toContain('95.3 of 50 MiB, missed');
  expect(chart).toContain('0.00 of 50 MiB, met');
  expect(chart).not.toContain('no limit');
  expect(chart).not.toMatch(/NaN|Infinity|undefined|"-/);
});

test('better results are drawn to the right of 1 for ratios, and to the left for amounts', () => {
  const chart = chartOf(
    merge([], [result('one', [ratio('ratio', 4, 2), amount('amount', 25, 50), amount('other', 100, 50)])]),
  );
  const bars = [...chart.matchAll(/<rect class="(?:met|missed)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)];
  const ones = [...chart.matchAll(/<line class="one" x1="([\d.]+)"/g)].map(([, x]) => Number(x));
  const [better, under, over] = bars.map(([, x, width]) => ({
    from: Number(x),
    to: Number(x) + Number(width),
  }));
  expect(better?.from).toBeCloseTo(ones[0] ?? NaN, 0);
  expect(under?.to).toBeCloseTo(ones[1] ?? NaN, 0);
  expect(over?.from).toBeCloseTo(ones[1] ?? NaN, 0);
});

test('the tables replace the text between the markers, and nothing else', () => {
  const benches = merge([], [result('one', [ratio('read | write', 2, 3), amount('no limit', 7)])]);
  const page = withFigures(PAGE, benches);
  expect(page).toMatch(/^Above\./);
  expect(page).toMatch(/Below\.\n$/);
  expect(page).not.toContain('old');
  expect(page).toContain(
    '| read \\| write | 20.0 MB/s | other: 10.0 MB/s | 2.00 (1.00 to 4.00)× | at least 3×, **missed** |',
  );
  expect(page).toContain('| no limit |  |  | 7.00 (7.00 to 7.00) MiB |  |');
  expect(withFigures(page, benches)).toBe(page);
  expect(() => withFigures('No markers.', benches)).toThrow(/markers/);
});

test('says how busy the machine was, where that is known', () => {
  const quiet = result('quiet', [ratio('a', 2)]);
  const busy = { ...quiet, name: 'busy', machine: { ...quiet.machine, loadBefore: 6.25 } };
  const tables = withFigures(PAGE, merge([], [quiet, busy]))
    .split('###')
    .slice(1);
  expect(tables.map((table) => /a cpu(.*)\.\n/.exec(table)?.[1])).toEqual([', at a load of 6.25 before', '']);
});
