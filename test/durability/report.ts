// The model's outcomes as a table and a chart for docs/DURABILITY.md.

import type { Availability, Share } from './availability.ts';
import type { Outcome } from './model.ts';

export interface Row {
  readonly population: string;
  readonly trigger: string;
  /** Whether it is the rule that Palm has. */
  readonly isPalm: boolean;
  readonly outcome: Outcome;
  /** The same pools, repaired by one who knows who comes back. */
  readonly oracle: Outcome;
}

const BEGIN = '<!-- durability: written by npm run bench -- durability -->';
const END = '<!-- /durability -->';
const ANCHORS_BEGIN = '<!-- anchors: written by npm run bench -- durability -->';
const ANCHORS_END = '<!-- /anchors -->';

const WIDTH = 860;
const LABEL_WIDTH = 300;
const PLOT_WIDTH = 420;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 12;
/** The chart's axis ends here: more than this many times the oracle. */
const MAX_TIMES = 100;

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ population, trigger, isPalm, outcome, oracle }) => {
    const cells = [
      population,
      isPalm ? `**${trigger}**` : trigger,
      Math.round(outcome.deviceYears),
      outcome.losses,
      `${outcome.lostFiles} of ${outcome.files}`,
      percent(outcome.openable),
      outcome.falseGone,
      outcome.rebuilt,
      outcome.rebuilt === 0 ? '–' : (outcome.moved / outcome.rebuilt).toFixed(2),
      timesOf(outcome, oracle)?.toFixed(2) ?? '–',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| population | repair begins | device-years | devices lost | files lost | openable | gone and back | fragments rebuilt | moved for each | times the oracle |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** `page` with `table` between the marks. @throws Error when the marks are not there. */
export function withTable(page: string, table: string): string {
  return between(page, BEGIN, END, table);
}

/** The same for the table of anchors. @throws Error when the marks are not there. */
export function withAnchorTable(page: string, table: string): string {
  return between(page, ANCHORS_BEGIN, ANCHORS_END, table);
}

function between(page: string, begin: string, end: string, table: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/DURABILITY.md has no ${begin}`);
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}

export interface AnchorRow {
  readonly pool: string;
  /** Of equal pools with different seeds. */
  readonly outcomes: readonly Availability[];
}

export function anchorTableOf(rows: readonly AnchorRow[]): string {
  const lines = rows.map(({ pool, outcomes }) => {
    const [first] = outcomes;
    if (first === undefined) throw new Error('there is a pool of each kind');
    const share = (of: (outcome: Availability) => Share): string => {
      const awakeMs = outcomes.reduce((sum, outcome) => sum + of(outcome).awakeMs, 0);
      return percent(outcomes.reduce((sum, outcome) => sum + of(outcome).openMs, 0) / awakeMs);
    };
    const days = outcomes.map(({ completeDays }) => completeDays);
    const isAll = days.every((each) => each !== undefined);
    const cells = [
      pool,
      `${first.k} of ${first.n}`,
      (first.n / first.k).toFixed(2),
      share(({ first: of }) => of),
      share(({ later }) => later),
      isAll ? `${Math.max(...days.map((each) => each ?? 0)).toFixed(1)} days` : '–',
      Math.min(...outcomes.map(({ marginWithout }) => marginWithout)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| pool | fragments | space | openable by a phone that is awake, first week | later | each phone has one after, at most | phones that may be lost after the device that is always on, at least |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** What repair moved, in multiples of what the oracle moved, on a log scale. */
export function chartOf(rows: readonly Row[]): string {
  const shown = rows.filter(
    ({ outcome, oracle }) => outcome !== oracle && timesOf(outcome, oracle) !== undefined,
  );
  const x = (times: number): number =>
    LABEL_WIDTH + (PLOT_WIDTH * Math.log10(Math.min(Math.max(times, 1), MAX_TIMES))) / Math.log10(MAX_TIMES);
  const height = shown.length * ROW_HEIGHT + 64;
  const bars = shown.map(({ population, trigger, isPalm, outcome, oracle }, at) => {
    const times = timesOf(outcome, oracle) ?? 1;
    const y = 52 + at * ROW_HEIGHT;
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${y}" text-anchor="end">${population}: ${trigger}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y - BAR_HEIGHT / 2}" width="${Math.max(2, x(times) - LABEL_WIDTH).toFixed(1)}" height="${BAR_HEIGHT}" class="${isPalm ? 'palm' : 'other'}"/>`,
      `<text x="${(x(times) + 8).toFixed(1)}" y="${y}">${times.toFixed(2)}</text>`,
    ].join('');
  });
  const ticks = [1, 1.44, 10, 100].map(
    (tick) =>
      `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="36" y2="${height - 12}" class="grid"/><text x="${x(tick).toFixed(1)}" y="26" class="tick">${tick}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="What repair moves, in multiples of an oracle">
<style>
  svg { --ground: #ffffff; --ink: #1f2428; --faint: #626a73; --line: #d5d9de; --palm: #1a7f4b; --other: #5b7fa6; }
  @media (prefers-color-scheme: dark) { svg { --ground: #16191d; --ink: #e6e9ec; --faint: #9aa3ad; --line: #353b43; --palm: #3fb27a; --other: #7f9fc4; } }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); dominant-baseline: middle; }
  .tick { fill: var(--faint); text-anchor: middle; }
  .grid { stroke: var(--line); }
  .palm { fill: var(--palm); }
  .other { fill: var(--other); }
</style>
<rect width="100%" height="100%" fill="var(--ground)"/>
${ticks.join('\n')}
${bars.join('\n')}
</svg>
`;
}

/** Undefined where there was nothing to repair. */
function timesOf(outcome: Outcome, oracle: Outcome): number | undefined {
  return outcome.moved === 0 || oracle.moved === 0 ? undefined : outcome.moved / oracle.moved;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
