/** Longer lines cannot be codes; what comes of a file without line breaks is not gathered in memory. */
const LINE_CHARACTERS_MAX = 4096;
const LINE_BREAK = /\r\n|\n|\r/;

/** A line of a text file, counted from 1. */
export interface TextLine {
  readonly number: number;
  /** Null for one that is too long to be read. */
  readonly text: string | null;
}

/**
 * The lines of UTF-8 text, in pages as they arrive, without its byte-order mark. Memory is bounded by one page. Bytes
 * that are not UTF-8 become U+FFFD, which no code has.
 */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine[]> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let isOverlong = false;
  let number = 0;
  const lineOf = (text: string): TextLine => {
    number += 1;
    const line = { number, text: isOverlong || text.length > LINE_CHARACTERS_MAX ? null : text };
    isOverlong = false;
    return line;
  };
  for await (const bytes of source) {
    const text = rest + decoder.decode(bytes, { stream: true });
    // A carriage return at the end may be the first half of a line break.
    const held = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = held.split(LINE_BREAK);
    rest = (lines.pop() ?? '') + text.slice(held.length);
    yield lines.map(lineOf);
    if (rest.length <= LINE_CHARACTERS_MAX) continue;
    isOverlong = true;
    // It may be the first half of a line break, which ends the line.
    rest = rest.endsWith('\r') ? '\r' : '';
  }
  rest += decoder.decode();
  if (rest !== '' || isOverlong) yield [lineOf(rest.replace(/\r$/, ''))];
}

/** Lines that are not blank, this many at a time and fewer at the end: pages that depend on the text alone. */
export async function* filledPages(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<TextLine[]> {
  let page: TextLine[] = [];
  for await (const lines of linesOf(source))
    for (const line of lines) {
      if (line.text?.trim() === '') continue;
      page.push(line);
      if (page.length < size) continue;
      yield page;
      page = [];
    }
  if (page.length > 0) yield page;
}
