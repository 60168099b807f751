import { foldLookAlikes } from './canonical-code.js';
import { CheckCharacter } from './check-character.js';
import { hasCheckCharacter, isMark, slotsOf, type CodeFormat } from './code-format.js';

/** A format made ready to judge codes. */
interface Shape {
  /** Its groups are the random characters and the check character. */
  readonly expression: RegExp;
  readonly check: CheckCharacter | null;
}

const compiled = new WeakMap<CodeFormat, Shape>();

/** True where the canonical code has the shape of one of the formats, and its check character where it has one. */
export function matchesAnyFormat(canonical: string, formats: readonly CodeFormat[]): boolean {
  return formats.some((format) => matches(canonical, shapeOf(format)));
}

function matches(canonical: string, { expression, check }: Shape): boolean {
  const found = expression.exec(canonical);
  return found !== null && (check === null || check.accepts(found.slice(1).join('')));
}

function shapeOf(format: CodeFormat): Shape {
  const known = compiled.get(format);
  if (known !== undefined) return known;
  const shape = {
    expression: new RegExp(`^${sourceOf(format)}$`),
    check: hasCheckCharacter(format) ? new CheckCharacter(fold(format.alphabet)) : null,
  };
  compiled.set(format, shape);
  return shape;
}

/** Templates hold only letters, digits and the three marks, so nothing in them means anything to an expression. */
function sourceOf(format: CodeFormat): string {
  const slots = [...slotsOf(format), format.alphabet].map((slot) => `([${fold(slot)}])`);
  const places = [...format.template.replaceAll('-', '')];
  return places.map((place) => (isMark(place) ? slots.shift() : fold(place))).join('');
}

function fold(text: string): string {
  return foldLookAlikes(text.toUpperCase());
}
