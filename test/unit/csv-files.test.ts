import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOf, csvOf, delimiterOf, inertCell, plainCell } from '../../src/codes/files/csv-cells.js';
import { filledPages, linesOf, type TextLine } from '../../src/codes/files/csv-lines.js';
import { columnsOf, wantedOf } from '../../src/codes/files/import-line.js';

async function* bytesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = 7): Promise<TextLine[]> {
  const lines = [];
  for await (const page of linesOf(bytesOf(text, size))) lines.push(...page);
  return lines;
}

describe('X.12 lines of a file', () => {
  it('are the same however the bytes arrive, with every kind of line break, without the byte-order mark', async () => {
    const text = '\uFEFFcode\r\nÄÖ\nB\r\rC';
    for (const size of [1, 2, 3, 100])
      expect((await read(text, size)).map((line) => line.text)).toEqual(['code', 'ÄÖ', 'B', '', 'C']);
  });

  it('are numbered as an editor numbers them, blank ones too', async () => {
    const pages = [];
    for await (const page of filledPages(bytesOf('a\n\n  \nb\nc\n', 3), 2)) pages.push(page);
    expect(pages).toEqual([
      [
        { number: 1, text: 'a' },
        { number: 4, text: 'b' },
      ],
      [{ number: 5, text: 'c' }],
    ]);
  });

  it('are given up where they are too long, and the next one is read', async () => {
    const lines = await read(`a\n${'x'.repeat(100_000)}\nb`, 1000);
    expect(lines).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: null },
      { number: 3, text: 'b' },
    ]);
    expect(await read('x'.repeat(10_000), 1000)).toEqual([{ number: 1, text: null }]);
  });
});

describe('X.12 cells', () => {
  const cellText = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .map((text) => text.replaceAll(/[\r\n]/g, ''));

  it('come back as they were written, whatever they hold', () => {
    // Blanks around a cell are no part of it.
    const trimmed = cellText.filter(
      (text) => text === text.trim() && !/^[\s\u0085\uFEFF]|[\s\u0085\uFEFF]$/.test(text),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(trimmed, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        (rows) => {
          const lines = csvOf(rows).split('\r\n').slice(0, -1);
          expect(cellsOf(lines, ',').map((cells) => cells?.map(plainCell))).toEqual(rows);
        },
      ),
    );
  });

  it('are never run by a spreadsheet', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(1)', ' =1', '\n=1', '\t=1', '＝1', '\u200B=1', "'=1"])
      expect(inertCell(text)).toBe(`'${text}`);
    for (const text of ['ABC', 'A=1', '', '1-2']) expect(inertCell(text)).toBe(text);
  });

  it('are separated by what the first line has outside of quotes, and by nothing else', () => {
    expect(delimiterOf('code,use_limit')).toBe(',');
    expect(delimiterOf('"a,b";code')).toBe(';');
    expect(delimiterOf('code\tuse_limit')).toBe('\t');
    expect(delimiterOf('ABCD1234')).toBe(',');
    expect(cellsOf(['AB12;Doe, John'], ';')).toEqual([['AB12', 'Doe, John']]);
  });

  it('of a line that is no CSV are null, and the lines beside it are read', () => {
    expect(cellsOf(['A1,x', '"B2,x', 'C3,"y,z"', 'D4,"x"y', 'E5'], ',')).toEqual([
      ['A1', 'x'],
      null,
      ['C3', 'y,z'],
      null,
      ['E5'],
    ]);
  });
});

describe('X.12 lines of an import', () => {
  const columns = { code: 0, use_limit: 1, starts_at: 2, expires_at: 3, external_user_id: 4 };
  const reasonOf = (...cells: string[]): string => {
    const wanted = wantedOf(7, cells, columns);
    return 'reason' in wanted ? wanted.reason : 'TAKEN';
  };

  it('take the columns by name, in any order, and a list of codes without names', () => {
    expect(columnsOf(['Use limit', 'CODE', 'note'])).toEqual({ code: 1, use_limit: 0 });
    expect(columnsOf(['ABCD'])).toBeNull();
    expect(() => columnsOf(['ABCD', '1'])).toThrow('must name the columns');
  });

  it('are refused by what is wrong with them', () => {
    expect(reasonOf('ABCD', '3', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00+02:00', 'u-1')).toBe('TAKEN');
    expect(reasonOf('ABCD')).toBe('TAKEN');
    expect(reasonOf('')).toBe('CODE_MISSING');
    expect(reasonOf('AB')).toBe('CODE_TEXT_NOT_ALLOWED');
    expect(reasonOf('ABCDÖ')).toBe('CODE_TEXT_NOT_ALLOWED');
    expect(reasonOf('ABCD', '1.5')).toBe('USE_LIMIT_OUT_OF_RANGE');
    expect(reasonOf('ABCD', '-1')).toBe('USE_LIMIT_OUT_OF_RANGE');
    expect(reasonOf('ABCD', '', 'tomorrow')).toBe('WINDOW_NOT_ALLOWED');
    expect(reasonOf('ABCD', '', '2027-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).toBe('WINDOW_NOT_ALLOWED');
  });
});
