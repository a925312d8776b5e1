// Text as it is searched: names that people would type alike are equal here, whatever the case, accents,
// width and composition of their letters. As a collator with the strength "base" compares, but parts of texts
// can be found, and the same on every device. Pure.

/**
 * Marks that people leave out: accents, and the vowels of Hebrew and Arabic. Elsewhere, as in Hindi, marks
 * are letters.
 */
const MARKS = /(?=\p{M})[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}]/gu;
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;
const KATAKANA = /[\u30A1-\u30F6]/gu;
const KATAKANA_ABOVE_HIRAGANA = 0x60;

/** Letters that no normalisation takes apart, lower case, and how people type them. */
const TYPED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ł: 'l',
  ŧ: 't',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '‐': '-',
  '–': '-',
  '—': '-',
};
const TYPED_OTHERWISE = new RegExp(`[${Object.keys(TYPED).join('')}]`, 'gu');

export function folded(text: string): string {
  return (
    plain(plain(text).toLowerCase())
      .replace(TYPED_OTHERWISE, (letter) => TYPED[letter] ?? letter)
      .replace(KATAKANA, (kana) => String.fromCharCode(kana.charCodeAt(0) - KATAKANA_ABOVE_HIRAGANA))
      // Korean syllables were taken apart: half of one is not found in another.
      .normalize('NFC')
      .replaceAll(/\s+/gu, ' ')
      .trim()
  );
}

/** Compatible forms (full width, ligatures) taken apart, without marks. */
function plain(text: string): string {
  return text.normalize('NFKD').replace(MARKS, '').replace(IGNORED, '');
}
