import { describe, expect, it } from 'vitest';
import { formatOf } from '../../src/codes/code-format.js';
import { CodeGenerator, RandomIndices } from '../../src/codes/code-generator.js';

const format = formatOf({
  codeType: 'ALPHANUM',
  length: 16,
  prefix: '',
  pattern: null,
  alphabet: null,
  excludeChars: [],
});

/** How far counts are from equal ones; for k counts the mean is k - 1, and its deviation √(2(k - 1)). */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('random indices', () => {
  // 7 and 10 do not divide 256; 200 does so worst: without rejection the first 56 would be twice as likely.
  it.each([2, 7, 10, 32, 36, 200])('below %i are equally likely', (range) => {
    const random = new RandomIndices();
    const counts = Array.from({ length: range }, () => 0);
    for (let draw = 0; draw < range * 5000; draw += 1) {
      const index = random.below(range);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    // Six deviations: once in a billion runs by chance.
    const freedom = range - 1;
    expect(chiSquare(counts)).toBeLessThan(freedom + 6 * Math.sqrt(2 * freedom) + 10);
  });

  it('throw away the bytes that would favour some of them', () => {
    const bytes = [255, 250, 249, 3];
    const random = new RandomIndices((buffer) => buffer.set(bytes));
    expect(random.below(10)).toBe(9);
    expect(random.below(10)).toBe(3);
  });

  it('are drawn again when the pool is used up, and forgotten when they are taken', () => {
    let fills = 0;
    let pool: Uint8Array = new Uint8Array();
    const random = new RandomIndices((buffer) => {
      fills += 1;
      pool = buffer;
      buffer.fill(fills);
    });
    for (let draw = 0; draw < 32_768; draw += 1) expect(random.below(256)).toBe(1);
    expect(pool.every((byte) => byte === 0)).toBe(true);
    expect(random.below(256)).toBe(2);
  });
});

describe('generated codes', () => {
  it('S0.1 are as many as were asked for, all different, 100,000 in seconds', () => {
    const codes = new CodeGenerator(format).distinct(100_000);
    expect(new Set(codes.map((code) => code.canonical)).size).toBe(100_000);
  });

  it('differ also where the generator repeats itself', () => {
    const once = [7, 7, 7, 7];
    const bytes = [...once, ...once, 1, 2, 3, 4, ...once, 9, 9, 9, 9];
    const short = formatOf({
      codeType: 'RANDOM_NUM',
      length: 4,
      prefix: '',
      pattern: null,
      alphabet: null,
      excludeChars: [],
    });
    const random = new RandomIndices((buffer) => buffer.set(bytes));
    const codes = new CodeGenerator(short, random).distinct(3).map((code) => code.text);
    expect(codes).toEqual(['7777', '1234', '9999']);
  });

  it('leave out those that are taken', () => {
    const random = new RandomIndices((buffer) => buffer.set([1, 1, 1, 1, 2, 2, 2, 2]));
    const short = formatOf({
      codeType: 'RANDOM_NUM',
      length: 4,
      prefix: '',
      pattern: null,
      alphabet: null,
      excludeChars: [],
    });
    const [code] = new CodeGenerator(short, random).distinct(1, (canonical) => canonical === '1111');
    expect(code?.text).toBe('2222');
  });

  it('use every character of the alphabet equally often', () => {
    const counts = new Map<string, number>();
    for (const { text } of new CodeGenerator(format).distinct(20_000)) {
      for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    expect(chiSquare([...counts.values()])).toBeLessThan(31 + 6 * Math.sqrt(62) + 10);
  });
});
