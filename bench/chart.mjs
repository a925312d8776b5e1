// Draws the published lines: each ratio's distance from 1 on a log scale, with its target; below, each amount
// as a share of its limit. The picture has its own background and follows the reader's colour scheme. Words
// also say whether a target is met, so it is readable without distinguishing colours.

import { isReached, short } from './published.mjs';

/**
 * @import { PublishedBench, PublishedLine } from './published.mjs'
 *
 * @typedef {{
 *   readonly label: string,
 *   readonly value: number,
 *   readonly least: number,
 *   readonly most: number,
 *   readonly target: number | undefined,
 *   readonly isReached: boolean | undefined,
 *   readonly text: string,
 * }} Row
 * @typedef {{ readonly title: string, readonly rows: readonly Row[] }} Group
 * @typedef {{ readonly heading: string, readonly groups: readonly Group[] }} Panel
 * @typedef {{ readonly x: (value: number) => number, readonly ticks: readonly number[] }} Scale
 */

const WIDTH = 1120;
const MARGIN = 24;
/** The area of the bars; labels are left of it, figures right. */
const PLOT_LEFT = 470;
const PLOT_RIGHT = 870;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 12;
/** Heights of a group's title, and of a panel's heading with its axis. */
const TITLE_HEIGHT = 34;
const HEADING_HEIGHT = 52;

const STYLE = `
  svg { --ground: #ffffff; --ink: #1f2428; --faint: #626a73; --line: #d5d9de; --met: #1a7f4b; --missed: #b4540a; --plain: #5b7fa6; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #16191d; --ink: #e6e9ec; --faint: #9aa3ad; --line: #353b43; --met: #3fb27a; --missed: #e08a3c; --plain: #7f9fc4; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); dominant-baseline: middle; }
  .heading { font-size: 16px; font-weight: 600; }
  .title { font-weight: 600; }
  .tick, .note { fill: var(--faint); font-size: 12px; }
  .tick { text-anchor: middle; }
  .ground { fill: var(--ground); }
  .grid { stroke: var(--line); }
  .one { stroke: var(--faint); }
  .spread, .target { stroke: var(--ink); }
  .target { stroke-width: 3; }
  .met { fill: var(--met); }
  .missed { fill: var(--missed); }
  .plain { fill: var(--plain); }`;

/**
 * An SVG picture of `benches`.
 * @param {readonly PublishedBench[]} benches
 */
export function chartOf(benches) {
  const panels = [
    panelOf('Times as good as what was measured beside it (log scale)', benches, ratioRow),
    panelOf('Amounts as a share of their limits (log scale; less is better)', benches, amountRow),
  ].filter(({ groups }) => groups.length > 0);
  /** @type {string[]} */
  const parts = [];
  let top = MARGIN;
  for (const panel of panels) {
    parts.push(...drawPanel(panel, top));
    top += heightOf(panel) + MARGIN;
  }
  const height = top + MARGIN;
  parts.push(textAt(MARGIN, top, 'note', 'Bar: median. Thin line: least to most. Thick mark: the target.'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Palm's benchmarks against their targets">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * @param {string} heading
 * @param {readonly PublishedBench[]} benches
 * @param {(line: PublishedLine) => Row | undefined} rowOf undefined for a line that does not belong in this
 * panel
 * @returns {Panel}
 */
function panelOf(heading, benches, rowOf) {
  const groups = benches.map(({ title, lines }) => ({
    title,
    rows: lines.map(rowOf).filter((row) => row !== undefined),
  }));
  return { heading, groups: groups.filter(({ rows }) => rows.length > 0) };
}

/**
 * @param {PublishedLine} line
 * @returns {Row | undefined}
 */
function ratioRow(line) {
  if (line.kind !== 'ratio') return undefined;
  const { label, figure, atLeast } = line;
  const target = atLeast === undefined ? '' : `, target ${atLeast}×`;
  const text = `${short(figure.median)}×${target}${verdictOf(line)}`;
  const { median: value, least, most } = figure;
  return { label, value, least, most, target: atLeast, isReached: isReached(line), text };
}

/**
 * @param {PublishedLine} line
 * @returns {Row | undefined}
 */
function amountRow(line) {
  if (line.kind !== 'amount' || line.atMost === undefined) return undefined;
  const { label, unit, figure, atMost } = line;
  return {
    label,
    value: figure.median / atMost,
    least: figure.least / atMost,
    most: figure.most / atMost,
    target: 1,
    isReached: isReached(line),
    text: `${short(figure.median)} of ${atMost} ${unit}${verdictOf(line)}`,
  };
}

/** @param {PublishedLine} line */
function verdictOf(line) {
  const verdict = isReached(line);
  return verdict === undefined ? '' : verdict ? ', met' : ', missed';
}

/** @param {Panel} panel */
function heightOf({ groups }) {
  return HEADING_HEIGHT + groups.reduce((sum, { rows }) => sum + TITLE_HEIGHT + rows.length * ROW_HEIGHT, 0);
}

/**
 * @param {Panel} panel
 * @param {number} top
 * @returns {string[]}
 */
function drawPanel(panel, top) {
  const scale = scaleFor(panel);
  const bottom = top + heightOf(panel);
  const axis = top + HEADING_HEIGHT - ROW_HEIGHT / 2;
  const parts = [textAt(MARGIN, top + 8, 'heading', panel.heading)];
  for (const tick of scale.ticks) {
    parts.push(textAt(scale.x(tick), axis, 'tick', `${tick}`));
    parts.push(vertical(scale.x(tick), axis + 8, bottom, tick === 1 ? 'one' : 'grid'));
  }
  let y = top + HEADING_HEIGHT;
  for (const { title, rows } of panel.groups) {
    parts.push(textAt(MARGIN, y + TITLE_HEIGHT / 2 + 4, 'title', title));
    y += TITLE_HEIGHT;
    for (const row of rows) {
      parts.push(...drawRow(row, y + ROW_HEIGHT / 2, scale));
      y += ROW_HEIGHT;
    }
  }
  return parts;
}

/**
 * @param {Row} row
 * @param {number} middle
 * @param {Scale} scale
 * @returns {string[]}
 */
function drawRow({ label, value, least, most, target, isReached: verdict, text: figure }, middle, { x }) {
  const colour = verdict === undefined ? 'plain' : verdict ? 'met' : 'missed';
  const [left, right] = [Math.min(x(1), x(value)), Math.max(x(1), x(value))];
  const box = `x="${round(left)}" y="${middle - BAR_HEIGHT / 2}" width="${round(right - left)}" height="${BAR_HEIGHT}"`;
  return [
    textAt(MARGIN, middle, '', label),
    `<rect class="${colour}" ${box}/>`,
    `<line class="spread" x1="${round(x(least))}" x2="${round(x(most))}" y1="${middle}" y2="${middle}"/>`,
    ...(target === undefined ? [] : [vertical(x(target), middle - 9, middle + 9, 'target')]),
    textAt(PLOT_RIGHT + 16, middle, '', figure),
  ];
}

/**
 * A log scale that fits all of `panel`.
 * @param {Panel} panel
 * @returns {Scale}
 */
function scaleFor({ groups }) {
  const rows = groups.flatMap((group) => group.rows);
  const values = [1, ...rows.flatMap(({ least, most, target = 1 }) => [least, most, target])];
  // Without any long task the value is 0, which a log scale cannot show.
  const positive = values.filter((value) => value > 0);
  const from = Math.min(...positive) / 1.1;
  const to = Math.max(...positive) * 1.1;
  const width = PLOT_RIGHT - PLOT_LEFT;
  return {
    x: (value) => PLOT_LEFT + (width * Math.log(Math.max(value, from) / from)) / Math.log(to / from),
    ticks: ticksBetween(from, to),
  };
}

/**
 * 1, 2 and 5 of each decade; for a wide range only the decades.
 * @param {number} from
 * @param {number} to
 */
function ticksBetween(from, to) {
  const steps = to / from > 2_000 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let decade = Math.floor(Math.log10(from)); decade <= Math.log10(to); decade++) {
    for (const step of steps) {
      const tick = Number(`${step}e${decade}`);
      if (tick >= from && tick <= to) ticks.push(tick);
    }
  }
  return ticks;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} className
 * @param {string} content
 */
function textAt(x, y, className, content) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const attribute = className === '' ? '' : ` class="${className}"`;
  return `<text${attribute} x="${round(x)}" y="${round(y)}">${escaped}</text>`;
}

/**
 * @param {number} x
 * @param {number} top
 * @param {number} bottom
 * @param {string} className
 */
function vertical(x, top, bottom, className) {
  return `<line class="${className}" x1="${round(x)}" x2="${round(x)}" y1="${top}" y2="${bottom}"/>`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
