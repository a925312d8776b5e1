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
  const at = (index: number): { x: number; y: number } => ({
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
      {fruits.map((fruit, index) => {
        const { x, y } = at(index);
        return <FruitShape key={index} fruit={fruit} looks={looks} x={x} y={y} rx={radiusX} ry={radiusY} />;
      })}
      <path class="bunch-mark" d={`M${markX} ${last.y - radiusY - 3}V${last.y + radiusY + 3}`} />
      <text class="bunch-count" x={markX} y={height - 1.5} text-anchor="middle">
        {file.k}
      </text>
    </svg>
  );
}

interface FruitShapeProps {
  readonly fruit: Fruit;
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
}

function FruitShape({ fruit, looks, x, y, rx, ry }: FruitShapeProps) {
  if (fruit.kind === 'missing' || fruit.kind === 'gone')
    return <ellipse class="fruit missing" cx={x} cy={y} rx={rx - 0.6} ry={ry - 0.6} />;
  const look = looks.get(fruit.deviceId);
  const hue = look === undefined ? 'hue-none' : `hue-${look.hue}`;
  const inset = fruit.kind === 'away' ? 0.8 : 0;
  return (
    <g class={`fruit ${fruit.kind} ${hue}`}>
      <ellipse class="fruit-body" cx={x} cy={y} rx={rx - inset} ry={ry - inset} />
      {look === undefined ? null : <FruitMark mark={look.mark} x={x} y={y} rx={rx} ry={ry} />}
    </g>
  );
}

/** The mark that tells holders apart without colour: none, a band, a dot, a slash. */
function FruitMark({ mark, x, y, rx, ry }: { mark: number; x: number; y: number; rx: number; ry: number }) {
  switch (mark) {
    case 1:
      return <path class="fruit-mark" d={`M${x - rx * 0.8} ${y}H${x + rx * 0.8}`} />;
    case 2:
      return <circle class="fruit-dot" cx={x} cy={y} r={rx * 0.36} />;
    case 3:
      return (
        <path class="fruit-mark" d={`M${x - rx * 0.5} ${y + ry * 0.5}L${x + rx * 0.5} ${y - ry * 0.5}`} />
      );
    default:
      return null;
  }
}

/** One fruit, as the legend next to a device's name. */
export function DeviceFruit({
  look,
  reachable,
}: {
  readonly look: DeviceLook | undefined;
  readonly reachable: boolean;
}) {
  const fruit: Fruit = { kind: reachable ? 'reachable' : 'away', deviceId: 'self' };
  const looks = new Map(look === undefined ? [] : [['self', look] as const]);
  return (
    <svg class="device-fruit" viewBox="0 0 24 32" aria-hidden="true" focusable="false">
      <path class="bunch-stalk" d="M12 1v6" />
      <FruitShape fruit={fruit} looks={looks} x={12} y={18} rx={9} ry={12.5} />
    </svg>
  );
}
