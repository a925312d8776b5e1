// The published part of the results: the figures without the single measurements, and the tables made from
// them. Pure; and plain JavaScript, because publish.mjs runs in Node and Node 20 runs no TypeScript.

/**
 * @import { BenchResult, Figure, Line } from './results.ts'
 *
 * @typedef {{ readonly label: string, readonly median: number }} Side
 * @typedef {{
 *   readonly kind: 'ratio',
 *   readonly label: string,
 *   readonly unit: string,
 *   readonly figure: Figure,
 *   readonly palm: Side,
 *   readonly beside: Side,
 *   readonly atLeast?: number,
 * }} PublishedRatio
 * @typedef {{
 *   readonly kind: 'amount',
 *   readonly label: string,
 *   readonly unit: string,
 *   readonly figure: Figure,
 *   readonly atMost?: number,
 * }} PublishedAmount
 * @typedef {PublishedRatio | PublishedAmount} PublishedLine
 * @typedef {Pick<BenchResult, 'name' | 'title' | 'at' | 'machine' | 'repeats'> & {
 *   readonly lines: readonly PublishedLine[],
 * }} PublishedBench
 */

/** The order in which benches are shown; others follow by name. */
const ORDER = [
  'transfer',
  'webtorrent',
  'range',
  'small-files',
  'lane',
  'link',
  'syncthing',
  'peer-connections',
  'pipeline',
  'kernel',
  'memory',
  'main-thread',
  'slow-phone',
  'app-size',
];

/**
 * `published`, with `results` replacing the benches of the same names.
 * @param {readonly PublishedBench[]} published
 * @param {readonly BenchResult[]} results
 * @returns {PublishedBench[]}
 * @throws {Error} when a result was not measured at scale 1: its lines' names would be wrong
 */
export function merge(published, results) {
  const scaled = results.filter(({ scale }) => scale !== 1);
  if (scaled.length > 0) {
    const names = scaled.map(({ name, scale }) => `${name} (${scale})`).join(', ');
    throw new Error(`Only results of scale 1 are published. Run again without PALM_BENCH_SCALE: ${names}.`);
  }
  const benches = new Map(published.map((bench) => [bench.name, bench]));
  for (const { name, title, at, machine, repeats, lines } of results) {
    benches.set(name, { name, title, at, machine, repeats, lines: lines.map(publishedLine) });
  }
  return [...benches.values()].toSorted(
    (a, b) => rankOf(a.name) - rankOf(b.name) || a.name.localeCompare(b.name),
  );
}

/** @param {string} name */
function rankOf(name) {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

/**
 * @param {Line} line
 * @returns {PublishedLine}
 */
function publishedLine(line) {
  const { label, unit, figure } = line;
  if (line.kind === 'amount') {
    const target = line.atMost === undefined ? {} : { atMost: line.atMost };
    return { kind: 'amount', label, unit, figure, ...target };
  }
  const palm = { label: line.palm.label, median: line.palmMedian };
  const beside = { label: line.beside.label, median: line.besideMedian };
  const target = line.atLeast === undefined ? {} : { atLeast: line.atLeast };
  return { kind: 'ratio', label, unit, figure, palm, beside, ...target };
}

/**
 * Whether the median reaches the line's target; undefined for a line without one.
 * @param {Line | PublishedLine} line
 * @returns {boolean | undefined}
 */
export function isReached(line) {
  const { median } = line.figure;
  if (line.kind === 'ratio') return line.atLeast === undefined ? undefined : median >= line.atLeast;
  return line.atMost === undefined ? undefined : median <= line.atMost;
}

/**
 * Three significant digits.
 * @param {number} value
 */
export function short(value) {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}

const BEGIN = '<!-- benchmarks: written by npm run bench:publish -->';
const END = '<!-- /benchmarks -->';
/** The picture that publish.mjs draws next to the page. */
const PICTURE = '![Ratios and amounts against their targets](benchmarks.svg)';

/**
 * `page` with the chart and the tables of `benches` between its two markers.
 * @param {string} page
 * @param {readonly PublishedBench[]} benches
 * @throws {Error} when the page has no markers
 */
export function withFigures(page, benches) {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`The page lacks its markers ${BEGIN} and ${END}.`);
  const parts = [PICTURE, ...benches.map(tableOf)].join('\n\n');
  return `${page.slice(0, begin + BEGIN.length)}\n\n${parts}\n\n${page.slice(end)}`;
}

/** @param {PublishedBench} bench */
function tableOf({ title, at, machine, repeats, lines }) {
  const rows = lines.map((line) => `| ${cellsOf(line).map(escaped).join(' | ')} |`);
  const load = machine.loadBefore === undefined ? '' : `, at a load of ${short(machine.loadBefore)} before`;
  const measured = `${repeats} repeats, ${at.slice(0, 10)}, ${machine.engine}, ${machine.cores} cores of ${machine.cpu}${load}`;
  return [
    `### ${title}`,
    '',
    `${measured}.`,
    '',
    '| | Palm | beside | median (least to most) | target |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** @param {PublishedLine} line */
function cellsOf(line) {
  const { median, least, most } = line.figure;
  const spread = `${short(median)} (${short(least)} to ${short(most)})`;
  const verdict = isReached(line);
  const mark = verdict === undefined ? '' : verdict ? ', met' : ', **missed**';
  if (line.kind === 'amount') {
    const target = line.atMost === undefined ? '' : `at most ${line.atMost} ${line.unit}${mark}`;
    return [line.label, '', '', `${spread} ${line.unit}`, target];
  }
  const { label, palm, beside, unit, atLeast } = line;
  return [
    label,
    `${short(palm.median)} ${unit}`,
    `${beside.label}: ${short(beside.median)} ${unit}`,
    `${spread}×`,
    atLeast === undefined ? '' : `at least ${atLeast}×${mark}`,
  ];
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('|', '\\|');
}
