import { foldLookAlikes } from './canonical-code.js';
import { isMark, slotsOf, type CodeFormat } from './code-format.js';

const places = new WeakMap<CodeFormat, readonly string[]>();

/** Whether a code can have both formats, so that one guess could hit codes of either. */
export function overlap(one: CodeFormat, other: CodeFormat): boolean {
  const [first, second] = [placesOf(one), placesOf(other)];
  return (
    first.length === second.length &&
    first.every((characters, place) => haveCommon(characters, second[place] ?? ''))
  );
}

function haveCommon(one: string, other: string): boolean {
  return one === other || [...one].some((character) => other.includes(character));
}

/** The characters that each place of a canonical code can have. */
function placesOf(format: CodeFormat): readonly string[] {
  const known = places.get(format);
  if (known !== undefined) return known;
  const slots = [...slotsOf(format), format.alphabet];
  const found = [...format.template.replaceAll('-', '')].map((place) =>
    foldLookAlikes((isMark(place) ? (slots.shift() ?? '') : place).toUpperCase()),
  );
  places.set(format, found);
  return found;
}
