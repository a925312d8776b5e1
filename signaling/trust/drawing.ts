// Small drawings of what the steps speak of: a screen with rows, a question with buttons. The text beside
// them says all of it, so they are hidden from those who listen. Each row of a drawing is a word or two: what
// people look for on their own screen.

export type Row =
  | { readonly kind: 'plain'; readonly text: string }
  /** The one to choose. */
  | { readonly kind: 'chosen'; readonly text: string }
  | { readonly kind: 'switch'; readonly text: string }
  | { readonly kind: 'ticked'; readonly text: string };

interface Shape {
  readonly width: number;
  readonly rowHeight: number;
  readonly top: number;
  readonly corner: number;
}

const PHONE: Shape = { width: 230, rowHeight: 30, top: 34, corner: 18 };
const WINDOW: Shape = { width: 300, rowHeight: 28, top: 36, corner: 8 };

export function phoneScreen(title: string, rows: readonly Row[]): string {
  return screen(PHONE, title, rows, '');
}

export function windowOf(title: string, rows: readonly Row[]): string {
  const { width, top } = WINDOW;
  const dots = [0, 1, 2].map(
    (at) => `<circle cx="${width - 14 - 12 * at}" cy="${top / 2}" r="3.5" class="soft"/>`,
  );
  return screen(WINDOW, title, rows, dots.join(''));
}

/** `buttons`: the last one is the one to press. */
export function phoneQuestion(title: string, text: string, buttons: readonly string[]): string {
  return question(PHONE, title, text, buttons);
}

export function windowQuestion(title: string, text: string, buttons: readonly string[]): string {
  return question(WINDOW, title, text, buttons);
}

function screen(shape: Shape, title: string, rows: readonly Row[], more: string): string {
  const drawn = rows.map((row, at) => drawRow(shape, row, shape.top + at * shape.rowHeight)).join('');
  return framed(shape, title, shape.top + rows.length * shape.rowHeight + 10, more + drawn);
}

function question(shape: Shape, title: string, text: string, buttons: readonly string[]): string {
  const { width, top } = shape;
  const each = (width - 24) / buttons.length;
  const drawn = buttons.map((button, at) => {
    const isChosen = at === buttons.length - 1;
    const x = 12 + at * each;
    return `<rect x="${x + 3}" y="${top + 34}" width="${each - 6}" height="28" rx="7" class="${isChosen ? 'strong' : 'quiet'}"/>
<text x="${x + each / 2}" y="${top + 52}" text-anchor="middle" class="${isChosen ? 'on-strong' : 'word'}">${escaped(button)}</text>`;
  });
  const line = `<text x="14" y="${top + 16}" class="word">${escaped(text)}</text>`;
  return framed(shape, title, top + 74, line + drawn.join(''));
}

function drawRow({ width, rowHeight }: Shape, { kind, text }: Row, y: number): string {
  const middle = y + rowHeight / 2;
  const isChosen = kind !== 'plain';
  const back = `<rect x="8" y="${y + 2}" width="${width - 16}" height="${rowHeight - 4}" rx="6" class="${isChosen ? 'chosen' : 'quiet'}"/>`;
  const word = `<text x="${kind === 'ticked' ? 36 : 16}" y="${middle + 4}" class="word">${escaped(text)}</text>`;
  return back + word + markOf(kind, width, middle);
}

function markOf(kind: Row['kind'], width: number, middle: number): string {
  switch (kind) {
    case 'switch':
      return `<rect x="${width - 48}" y="${middle - 8}" width="30" height="16" rx="8" class="strong"/><circle cx="${width - 26}" cy="${middle}" r="6" class="knob"/>`;
    case 'ticked':
      return `<rect x="16" y="${middle - 7}" width="14" height="14" rx="3" class="strong"/><path d="M19 ${middle} l3 3 l5 -6" class="tick"/>`;
    case 'plain':
    case 'chosen':
      return `<path d="M${width - 22} ${middle - 4} l4 4 l-4 4" class="line"/>`;
  }
}

function framed({ width, top, corner }: Shape, title: string, height: number, inside: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true">
<rect x="1" y="1" width="${width - 2}" height="${height - 2}" rx="${corner}" class="frame"/>
<text x="14" y="${top / 2 + 5}" class="title">${escaped(title)}</text>
${inside}</svg>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
