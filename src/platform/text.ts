/** One spelling for equal text: an accent as its own character and inside its letter are the same (NFC). */
export const canonicalText = (text: string): string => text.normalize('NFC');

/** As `VARCHAR(n)` counts: an emoji outside the basic plane is one character, not two. */
export const lengthOf = (text: string): number => [...text].length;

/** Scripts in which the joiners U+200C and U+200D change how a word is written. */
const JOINING_SCRIPTS = `
  Arabic Syriac Mandaic Nko Adlam Hanifi_Rohingya Mongolian Phags_Pa
  Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala
  Khmer Myanmar Tibetan Balinese Javanese Tai_Tham Chakma`;
const OF_JOINING_SCRIPT = `[${JOINING_SCRIPTS.trim().replace(/(\w+)\s*/g, String.raw`\p{scx=$1}`)}]`;
const JOINING = String.raw`[${OF_JOINING_SCRIPT}&&[\p{L}\p{M}]]`;
const JOINING_MARK = String.raw`[${OF_JOINING_SCRIPT}&&\p{M}]`;

/** One emoji of a joined sequence: with its presentation or skin tone, if it has any. */
const PICTOGRAPH = String.raw`\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?`;

/** Invisible characters where they belong: without them these words and emoji would be others. */
const MEANINGFUL = [
  // Persian, Urdu: between letters. Hindi, Bengali, Sinhala: after a sign, also at the end of a word.
  String.raw`(?<=${JOINING})\u200C(?=${JOINING})|(?<=${JOINING_MARK})\u200C|(?<=${JOINING})\u200D`,
  // Mongolian: variants of a letter, and the separator before a final vowel.
  String.raw`(?<=[\p{scx=Mongolian}&&\p{L}])(?:[\u180B-\u180D\u180F]|\u180E(?=[\p{scx=Mongolian}&&\p{L}]))`,
  // Families, professions, flags such as the rainbow's.
  String.raw`${PICTOGRAPH}(?:\u200D${PICTOGRAPH})+`,
  // Flags of regions: England, Scotland, Wales.
  String.raw`\u{1F3F4}[\u{E0061}-\u{E007A}]{2}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,3}\u{E007F}`,
  // Colour or text presentation of an emoji, and keycaps.
  String.raw`(?<=[\p{Emoji}--[0-9#*]])[\uFE0E\uFE0F]|(?<=[0-9#*])\uFE0F(?=\u20E3)`,
  // Variants of ideographs, which names in Japan need.
  String.raw`(?<=\p{Ideographic})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]`,
  // The space of braille text.
  String.raw`(?<=[\u2801-\u28FF])\u2800(?=[\u2801-\u28FF])`,
];
const MEANINGFUL_INVISIBLE = new RegExp(MEANINGFUL.join('|'), 'gv');

/** Controls, line breaks, what changes the direction of text, and what has no look at all but is no space. */
const HIDDEN = new RegExp(
  String.raw`[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}` +
    String.raw`\u2800\u{FFF9}-\u{FFFB}\u{16FE4}\u{13430}-\u{1343F}\u{13441}\u{13442}\u{1D159}]`,
  'v',
);
/** What a reader sees: a name of blanks and accents alone has nothing of it. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/v;

/** Why text cannot be a name that people read and compare; null where it can. */
export function faultOfText(text: string): string | null {
  const hidden = HIDDEN.exec(text.replace(MEANINGFUL_INVISIBLE, 'x'));
  if (hidden !== null)
    return `must not hold a line break or a character that cannot be seen (${codePointOf(hidden[0])})`;
  return VISIBLE.test(text) ? null : 'must hold a character that can be seen';
}

function codePointOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
