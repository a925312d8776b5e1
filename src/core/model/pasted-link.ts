// Finds invites and file links in text as people paste it: between other words, wrapped by a mail program,
// quoted, or escaped once more than it should be. Nothing here is trusted: the checksum of what is found
// decides (invite.ts).

export type LinkKind = 'join' | 'file';

export interface FoundLink {
  readonly kind: LinkKind;
  /** The web address before it, up to its host and port; undefined if there is none. */
  readonly origin: string | undefined;
  /** What follows `#/join/` or `#/file/`, with the text behind it. */
  readonly after: string;
}

/** What mail programs put into the middle of a link when they wrap or quote it. */
const WRAPPING = '[\\s>|=*\\\\]*';
const WRAPPING_SIGNS = /[\s>|=*\\]+/gu;
/** With or without its `#`: some programs drop it, or make it part of the path. */
const MARKER = new RegExp(
  `(?:#!?/?|/)${WRAPPING}(${'join'.split('').join(WRAPPING)}|${'file'.split('').join(WRAPPING)})${WRAPPING}(?:/|$|(?=[^\\w-]))`,
  'giu',
);
const ORIGIN = /^https?:\/\/[^/?#<>"'()]+/u;

const ENTITIES = new Map([
  ['amp', '&'],
  ['gt', '>'],
  ['hyphen', '-'],
  ['lowbar', '_'],
  ['lt', '<'],
  ['nbsp', ' '],
  ['num', '#'],
  ['quot', '"'],
  ['shy', ''],
  ['sol', '/'],
]);

/** A link inside a link is escaped twice; more often than three times nobody has seen it. */
const MAX_UNESCAPES = 3;
/** Links in one text that are looked at: a mail has two of each, as text and as markup. */
const MAX_LINKS = 64;
/** Characters before and behind a marker that may belong to the link, wrapping included. */
const MAX_LINK_CHARS = 1_024;

/** `text` without escapes and invisible characters, its wide and typographic signs as plain ones. */
export function plainText(text: string): string {
  let plain = text.normalize('NFKC').replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '');
  for (let round = 0; round < MAX_UNESCAPES; round++) {
    const unescaped = plain.replaceAll(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|([a-z]{2,6}));/giu, unescapeEntity);
    const decoded = unescaped.replaceAll(/%([0-7][\da-f])/giu, (_whole, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === plain) break;
    plain = decoded;
  }
  // Word processors make these from hyphens.
  return plain
    .replaceAll(/[\u2010-\u2013\u2212]/gu, '-')
    .replaceAll('\u2014', '--')
    .replaceAll('\u00AD', '');
}

/** All links in `plain` (from plainText), in their order. */
export function findLinks(plain: string): readonly FoundLink[] {
  return matchesOf(MARKER, plain).map((match) => {
    const end = match.index + match[0].length;
    return {
      kind: withoutWrapping(match[1] ?? '').toLowerCase() === 'join' ? 'join' : 'file',
      origin: originAtEnd(plain.slice(Math.max(0, match.index - MAX_LINK_CHARS), match.index)),
      after: plain.slice(end, end + MAX_LINK_CHARS),
    };
  });
}

/** The parts of `plain` that begin with `beginning`, a global pattern: links without an address. */
export function partsFrom(beginning: RegExp, plain: string): readonly string[] {
  return matchesOf(beginning, plain).map(({ index }) => plain.slice(index, index + MAX_LINK_CHARS));
}

/** The characters of base64url that `text` begins with, without what wrapping put between them. */
export function lettersOf(text: string): string {
  return withoutWrapping(/^[\w\-\s>|=*\\]*/u.exec(text)?.[0] ?? '');
}

/** As `lettersOf`, with the direct address that may follow an invite (FORMATS.md). */
export function linkTextOf(text: string): string {
  return withoutWrapping(/^[\w\-\s>|=*\\]*(?:\/\s*at\s*\/[\w\-\s>|=*\\]*)?/u.exec(text)?.[0] ?? '');
}

/** Whether `plain` has a web address. */
export function hasAddress(plain: string): boolean {
  return /https?:\/\//iu.test(plain);
}

function matchesOf(pattern: RegExp, plain: string): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  for (const match of plain.matchAll(pattern)) {
    if (matches.push(match) >= MAX_LINKS) break;
  }
  return matches;
}

function withoutWrapping(text: string): string {
  return text.replaceAll(WRAPPING_SIGNS, '');
}

function originAtEnd(before: string): string | undefined {
  const lower = before.toLowerCase();
  return ORIGIN.exec(withoutWrapping(lower.slice(Math.max(0, lower.lastIndexOf('http')))))?.[0];
}

function unescapeEntity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return ENTITIES.get(name.toLowerCase()) ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}
