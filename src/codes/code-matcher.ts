import { foldLookAlikes } from './canonical-code.js';
import { slotsOf, type CodeFormat } from './code-format.js';

const compiled = new WeakMap<CodeFormat, RegExp>();

/** True where the canonical code has the shape of one of the formats. */
export function matchesAnyFormat(canonical: string, formats: readonly CodeFormat[]): boolean {
  return formats.some((format) => expressionOf(format).test(canonical));
}

function expressionOf(format: CodeFormat): RegExp {
  const known = compiled.get(format);
  if (known !== undefined) return known;
  const expression = new RegExp(`^${sourceOf(format)}$`);
  compiled.set(format, expression);
  return expression;
}

/** Templates hold only letters, digits and the two marks, so nothing in them means anything to an expression. */
function sourceOf(format: CodeFormat): string {
  const slots = slotsOf(format).map((slot) => `[${fold(slot)}]`);
  const places = [...format.template.replaceAll('-', '')];
  return places.map((place) => (place === '#' || place === '@' ? slots.shift() : fold(place))).join('');
}

function fold(text: string): string {
  return foldLookAlikes(text.toUpperCase());
}
