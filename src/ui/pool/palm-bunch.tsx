// The palm bunch as a drawing: a branch, a fruit for each fragment, and the mark after the k-th fruit.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { bunchText, fruitsOf, type Fruit } from './bunch.ts';
import type { DeviceLook } from './device-look.ts';

interface PalmBunchProps {
  readonly file: FileStatus;
  readonly devices: readonly DeviceStatus[];
  readonly looks: ReadonlyMap<string, DeviceLook>;
}

/**
 * Fruits in a row, and their size in drawing units. Many fragments hang in several rows of smaller fruits.
 */
interface Rows {
  readonly columns: number;
  readonly pitch: number;
  readonly radiusX: number;
  readonly radiusY: number;
}

function rowsFor(n: number): Rows {
  if (n <= 15) return { columns: n, pitch: 15, radiusX: 5.2, radiusY: 7.4 };
  if (n <= 60) return { columns: 20, pitch: 11, radiusX: 3.9, radiusY: 5.4 };
  return { columns: 34, pitch: 6.8, radiusX: 2.5, radiusY: 3.2 };
}

/** Position of the branch, and of the first row, in drawing units. */
const BRANCH_Y = 5;
const FIRST_ROW_Y = 18;
/** Room for the count under the mark. */
const MARK_ROOM = 13;
/** Pixels to a drawing unit: fifteen fruits are as wide as a small phone's row. */
const SCALE = 1.25;

export function PalmBunch({ file, devices, looks }: PalmBunchProps) {
  const fruits = fruitsOf(file, devices);
  const rows = rowsFor(file.n);
  const { columns, pitch, radiusX, radiusY } = rows;
  const rowPitch = radiusY * 2 + 4;
  const rowCount = Math.ceil(file.n / columns);
  const width = columns * pitch + 10;
  const height = FIRST_ROW_Y + (rowCount - 1) * rowPitch + radiusY + MARK_ROOM;
  const at = (index: number): Place => ({
    x: 5 + (index % columns) * pitch + pitch / 2,
    y: FIRST_ROW_Y + Math.floor(index / columns) * rowPitch,
  });
  // One path: elements are what a long list costs.
  const stalks = fruits
    .slice(0, columns)
    .map((_, index) => `M${at(index).x} ${BRANCH_Y}V${at(index).y - radiusY}`)
    .join('');
  const last = at(file.k - 1);
  const markX = last.x + pitch / 2;
  const text = bunchText(file, devices);
  return (
    <svg
      class="bunch"
      viewBox={`0 0 ${width} ${height}`}
      width={width * SCALE}
      height={height * SCALE}
      role="img"
      aria-label={text}
    >
      <title>{text}</title>
      <path
        class="bunch-branch"
        d={`M1 ${BRANCH_Y + 3}Q${width / 2} ${BRANCH_Y - 6} ${width - 1} ${BRANCH_Y}`}
      />
      <path class="bunch-stalk" d={stalks} />
      {alike(fruits).map(({ fruit, indexes }) => (
        <FruitShapes
          key={indexes[0]}
          fruit={fruit}
          look={fruit.kind === 'missing' ? undefined : looks.get(fruit.deviceId)}
          places={indexes.map(at)}
          rx={radiusX}
          ry={radiusY}
        />
      ))}
      <path class="bunch-mark" d={`M${markX} ${last.y - radiusY - 3}V${last.y + radiusY + 3}`} />
      <text class="bunch-count" x={markX} y={height - 1.5} text-anchor="middle">
        {file.k}
      </text>
    </svg>
  );
}

/** Fruits that look the same, by their indexes. Those of a device hang side by side. */
function alike(fruits: readonly Fruit[]): { readonly fruit: Fruit; readonly indexes: number[] }[] {
  const groups: { readonly fruit: Fruit; readonly indexes: number[] }[] = [];
  for (const [index, fruit] of fruits.entries()) {
    const last = groups.at(-1);
    if (last !== undefined && isAlike(last.fruit, fruit)) last.indexes.push(index);
    else groups.push({ fruit, indexes: [index] });
  }
  return groups;
}

function isAlike(one: Fruit, other: Fruit): boolean {
  if (one.kind !== other.kind) return false;
  return one.kind === 'missing' || other.kind === 'missing' || one.deviceId === other.deviceId;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

interface FruitShapesProps {
  readonly fruit: Fruit;
  readonly look: DeviceLook | undefined;
  /** Their centres. */
  readonly places: readonly Place[];
  readonly rx: number;
  readonly ry: number;
}

/** One path for all bodies and one for all marks: elements are what a long list costs. */
function FruitShapes({ fruit, look, places, rx, ry }: FruitShapesProps) {
  const ovals = (inset: number): string =>
    places.map((place) => oval(place, rx - inset, ry - inset)).join('');
  if (fruit.kind === 'missing' || fruit.kind === 'gone') return <path class="fruit missing" d={ovals(0.6)} />;
  const hue = look === undefined ? 'hue-none' : `hue-${look.hue}`;
  return (
    <g class={`fruit ${fruit.kind} ${hue}`}>
      <path class="fruit-body" d={ovals(fruit.kind === 'away' ? 0.8 : 0)} />
      {look === undefined ? null : <FruitMarks mark={look.mark} places={places} rx={rx} ry={ry} />}
    </g>
  );
}

interface FruitMarksProps extends Pick<FruitShapesProps, 'places' | 'rx' | 'ry'> {
  readonly mark: number;
}

/** The mark that tells holders apart without colour: none, a band, a dot, a slash. */
function FruitMarks({ mark, places, rx, ry }: FruitMarksProps) {
  switch (mark) {
    case 1:
      return <path class="fruit-mark" d={lines(places, { x: rx * 0.8, y: 0 })} />;
    case 2:
      return <path class="fruit-dot" d={places.map((place) => oval(place, rx * 0.36, rx * 0.36)).join('')} />;
    case 3:
      return <path class="fruit-mark" d={lines(places, { x: rx * 0.5, y: -ry * 0.5 })} />;
    default:
      return null;
  }
}

function oval({ x, y }: Place, rx: number, ry: number): string {
  return `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;
}

/** A line through each place, from `-half` to `half` of it. */
function lines(places: readonly Place[], half: Place): string {
  return places.map(({ x, y }) => `M${x - half.x} ${y - half.y}l${2 * half.x} ${2 * half.y}`).join('');
}

/** One fruit, as the legend next to a device's name. */
export function DeviceFruit({
  look,
  reachable,
}: {
  readonly look: DeviceLook | undefined;
  readonly reachable: boolean;
}) {
  const fruit: Fruit = { kind: reachable ? 'reachable' : 'away', deviceId: '' };
  return (
    <svg class="device-fruit" viewBox="0 0 24 32" aria-hidden="true" focusable="false">
      <path class="bunch-stalk" d="M12 1v6" />
      <FruitShapes fruit={fruit} look={look} places={[{ x: 12, y: 18 }]} rx={9} ry={12.5} />
    </svg>
  );
}
