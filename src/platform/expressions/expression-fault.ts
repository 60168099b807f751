/** Why an expression is not taken, in order of precedence. */
export const EXPRESSION_REFUSALS = [
  'EXPRESSION_TOO_LONG',
  'EXPRESSION_MALFORMED',
  'EXPRESSION_TOO_COMPLEX',
  'EXPRESSION_FACT_UNKNOWN',
  'EXPRESSION_FUNCTION_UNKNOWN',
  'EXPRESSION_VALUE_NOT_POSSIBLE',
  'EXPRESSION_TYPES_DIFFER',
  'EXPRESSION_TOO_COSTLY',
] as const;
export type ExpressionRefusal = (typeof EXPRESSION_REFUSALS)[number];

/** A part of a text, as people look for it. */
export interface TextPosition {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** Characters of this line that are meant; at least 1. */
  readonly length: number;
  /** The line, and a caret below its column. */
  readonly excerpt: string;
}

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** What is wrong with an expression, or what went wrong when it was evaluated, and where. */
export class ExpressionFault {
  constructor(
    readonly code: ExpressionRefusal | 'EXPRESSION_FAILED',
    /** A sentence without the position. */
    readonly message: string,
    readonly position: TextPosition,
  ) {}

  /** The sentence with the position. */
  get text(): string {
    const { line, column } = this.position;
    return `Line ${line}, column ${column}: ${this.message}`;
  }
}

/** Where a range of UTF-16 units lies in a text. */
export function positionOf(text: string, { start, end }: TextRange): TextPosition {
  const at = Math.max(0, Math.min(start, text.length));
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const lineBreak = text.indexOf('\n', at);
  const lineEnd = lineBreak === -1 ? text.length : lineBreak;
  const before = charactersOf(text.slice(lineStart, at));
  return {
    line: text.slice(0, at).split('\n').length,
    column: before + 1,
    length: Math.max(1, charactersOf(text.slice(at, Math.min(end, lineEnd)))),
    excerpt: `${text.slice(lineStart, lineEnd)}\n${' '.repeat(before)}^`,
  };
}

const charactersOf = (text: string): number => [...text].length;
