// The output of a bench: bench/results/<name>.json, and a table on the terminal. A line compares Palm with
// something else measured in the same run, in turns, so the ratio is meaningful on any machine. Measurements
// without a counterpart (memory, bytes of code) are amounts with a limit.

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isReached, short } from './published.mjs';
import { REPEATS, SCALE } from './scale.ts';

const RESULTS_FOLDER = fileURLToPath(new URL('results/', import.meta.url));

/** When the bench begins. */
const [LOAD_BEFORE = 0] = loadavg();

/** Measurements of one thing, in the order in which they were made. */
export interface Series {
  readonly label: string;
  readonly values: readonly number[];
}

export interface RatioInput {
  readonly kind: 'ratio';
  readonly label: string;
  readonly unit: string;
  /** More MB/s are better, fewer ms are better: either way a ratio above 1 means that Palm did better. */
  readonly better: 'more' | 'less';
  readonly palm: Series;
  /** The same number of values, each measured next to Palm's value with the same index. */
  readonly beside: Series;
  /** The ratio that Palm should reach. */
  readonly atLeast?: number;
}

export interface AmountInput {
  readonly kind: 'amount';
  readonly label: string;
  readonly unit: string;
  readonly palm: Series;
  /** The limit, in `unit`. */
  readonly atMost?: number;
}

export type LineInput = RatioInput | AmountInput;

/** Computed from the ratios of a 'ratio' line, or the values of an 'amount' line. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export type RatioLine = RatioInput & {
  readonly figure: Figure;
  readonly palmMedian: number;
  readonly besideMedian: number;
};
export type AmountLine = AmountInput & { readonly figure: Figure; readonly palmMedian: number };
export type Line = RatioLine | AmountLine;

export interface BenchResult {
  readonly name: string;
  readonly title: string;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly engine: string;
    /** Processes that ran or waited in the minute before, on average: what others did. Not on Windows. */
    readonly loadBefore?: number;
  };
  /** PALM_BENCH_SCALE: 1 is the size in the lines' names. */
  readonly scale: number;
  readonly repeats: number;
  readonly lines: readonly Line[];
  /** Other data that explain the lines: sizes, longest tasks, sums. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface BenchReport {
  /** The file's name in bench/results, and NAME in `npm run bench -- NAME`. */
  readonly name: string;
  readonly title: string;
  /** The engine of Palm's side: 'Chromium 156.0…', 'Node 20.20.0'. */
  readonly engine: string;
  readonly lines: readonly LineInput[];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes the result, replacing an earlier one of this name, and prints its table. */
export async function report(given: BenchReport): Promise<void> {
  const { name, title, engine, details = {} } = given;
  const result: BenchResult = {
    name,
    title,
    at: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      node: process.versions.node,
      engine,
      ...(LOAD_BEFORE > 0 ? { loadBefore: LOAD_BEFORE } : {}),
    },
    scale: SCALE,
    repeats: REPEATS,
    lines: given.lines.map(withFigures),
    details,
  };
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await writeFile(`${RESULTS_FOLDER}${name}.json`, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`\n${tableOf(result)}\n`);
}

function tableOf(result: BenchResult): string {
  const scale = result.scale === 1 ? '' : `, AT SCALE ${result.scale}: not the sizes that the lines name`;
  const rows = result.lines.map((line) => cellsOf(line));
  const head = ['', 'Palm', 'beside', 'ratio or amount', 'target'];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const print = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return [`${result.title} (${result.repeats} repeats${scale})`, print(head), ...rows.map(print)].join('\n');
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new Error('there is no median of nothing');
  return (upper + lower) / 2;
}

function withFigures(line: LineInput): Line {
  const figure = figureOf(numbersOf(line));
  const palmMedian = medianOf(line.palm.values);
  return line.kind === 'amount'
    ? { ...line, figure, palmMedian }
    : { ...line, figure, palmMedian, besideMedian: medianOf(line.beside.values) };
}

function numbersOf(line: LineInput): readonly number[] {
  if (line.kind === 'amount') return line.palm.values;
  return line.palm.values.map((palm, at) => {
    const beside = line.beside.values[at];
    if (beside === undefined)
      throw new Error(`"${line.label}" has no measurement to set beside number ${at + 1}`);
    return line.better === 'more' ? palm / beside : beside / palm;
  });
}

function figureOf(values: readonly number[]): Figure {
  return { median: medianOf(values), least: Math.min(...values), most: Math.max(...values) };
}

function cellsOf(line: Line): string[] {
  const { median, least, most } = line.figure;
  const spread = `${short(median)} (${short(least)} to ${short(most)})`;
  const verdict = isReached(line);
  const mark = verdict === undefined ? '' : verdict ? ' met' : ' MISSED';
  if (line.kind === 'amount') {
    const target = line.atMost === undefined ? '' : `<= ${line.atMost} ${line.unit}${mark}`;
    return [line.label, '', '', `${spread} ${line.unit}`, target];
  }
  const palm = `${short(line.palmMedian)} ${line.unit}`;
  const beside = `${line.beside.label} ${short(line.besideMedian)} ${line.unit}`;
  return [line.label, palm, beside, spread, line.atLeast === undefined ? '' : `>= ${line.atLeast}${mark}`];
}
