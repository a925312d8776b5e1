// Names come from other devices and may hold hidden characters, which show as nothing or reorder the text
// around them. Screens and sentences write each of those out, so that no name looks empty, and names that
// differ only in hidden characters can be told apart.
//
// These stay as they are: joiners and variation selectors where scripts and emoji need them, and single
// spaces of any usual width.

/** Blank in every font, though listed as letters, symbols or marks: braille, a note head, a Khitan filler. */
const BLANKS = '\\u2800\\u{1D159}\\u{16FE4}';
/**
 * Format characters that are visible: Arabic, Syriac and Kaithi signs that enclose the numbers behind them.
 */
const SIGNS = '\\u0600-\\u0605\\u06DD\\u070F\\u0890\\u0891\\u08E2\\u{110BD}\\u{110CD}';
/** Spaces thinner than people type. No-break spaces, and the wide one of Chinese and Japanese, are usual. */
const THIN_SPACES = '\\u1680\\u2000-\\u200A\\u205F';

/** They mark what is written out, so they are written out themselves. */
const [OPEN, CLOSE] = ['⟦', '⟧'];

const HIDDEN = `(?:(?![${SIGNS}])[\\p{Default_Ignorable_Code_Point}\\p{Cf}\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}${BLANKS}${THIN_SPACES}])`;

const PICTURE = '\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\uFE0F?';
/** Emoji of several characters: with joiners or a selector, keycaps, the flags of three countries. */
const EMOJI = [
  `${PICTURE}(?:\\u200D${PICTURE}|\\u200D[\\u2640\\u2642\\u2695\\u2696\\u2708]\\uFE0F?)+`,
  '\\p{Extended_Pictographic}\\uFE0F(?!\\uFE0F)',
  '[0-9#*]\\uFE0F\\u20E3',
  '\\u{1F3F4}\\u{E0067}\\u{E0062}(?:\\u{E0065}\\u{E006E}\\u{E0067}|\\u{E0073}\\u{E0063}\\u{E0074}|\\u{E0077}\\u{E006C}\\u{E0073})\\u{E007F}',
].join('|');
const JOINING =
  '[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}]';
/** One joiner or non-joiner between letters of scripts in which it changes the letters' shape. */
const JOINED = `(?<=${JOINING})[\\u200C\\u200D](?=${JOINING})`;

const PIECES = new RegExp(`(?<kept>${EMOJI}|${JOINED})|${HIDDEN}|[${OPEN}${CLOSE}]`, 'gu');
const HIDDEN_ALONE = new RegExp(`(?<kept>${EMOJI}|${JOINED})|${HIDDEN}`, 'gu');
const VISIBLE = new RegExp(`(?!${HIDDEN})[\\p{L}\\p{N}\\p{P}\\p{S}\\p{Co}]`, 'u');
/** Spaces at the ends and behind another space: browsers draw them as nothing. */
const LOST_SPACES = /^\p{Zs}+|\p{Zs}+$|(?<=\p{Zs})\p{Zs}+/gu;
/** A mark at the start would combine with the text before the name. */
const LEADING_MARK = /^\p{M}/u;

/** Most names. They need no closer look. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/u;

const NOTHING_VISIBLE = 'name without visible characters';
/** How many are written out when a name has nothing else. */
const MAX_LISTED = 8;

/** Whether anything in the name can be seen: a mark needs a letter to stand on. */
export function hasVisibleCharacters(name: string): boolean {
  return VISIBLE.test(name);
}

/** `name` as people see it; '' only for ''. */
export function visibleName(name: string): string {
  if (name === '' || PLAIN.test(name)) return name;
  if (!hasVisibleCharacters(name)) return `(${NOTHING_VISIBLE}: ${listed(name)})`;
  const written = replaceHidden(name, PIECES, (character) => `${OPEN}${codeOf(character)}${CLOSE}`);
  const spaced = written.replace(LOST_SPACES, (spaces) => '␣'.repeat(spaces.length));
  return LEADING_MARK.test(spaced) ? `◌${spaced}` : spaced;
}

/** `name` without hidden characters: for file systems, where people must be able to type it. */
export function withoutHidden(name: string): string {
  return replaceHidden(name, HIDDEN_ALONE, () => '');
}

function replaceHidden(name: string, pieces: RegExp, replacement: (character: string) => string): string {
  return name.replace(pieces, (piece: string, kept: string | undefined) => kept ?? replacement(piece));
}

function listed(name: string): string {
  const codes = Array.from(name, codeOf);
  const more = codes.length > MAX_LISTED ? ` and ${codes.length - MAX_LISTED} more` : '';
  return codes.slice(0, MAX_LISTED).join(' ') + more;
}

/** Such as "U+00AD". */
function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
