import { describe, expect, it } from 'vitest';
import { Expression } from '../../src/platform/expressions/expression-language.js';
import { CONDITION_LANGUAGE, type ConditionFacts } from '../../src/rewards/condition-facts.js';

const SEED = 2026;
const EXPRESSIONS = 3000;

/** Mulberry32: the same expressions in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Kind = 'bool' | 'int' | 'string' | 'list' | 'time';

/** Writes expressions of the language whose types fit. */
class Writer {
  private variables = 0;

  constructor(private readonly random: () => number) {}

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  write(kind: Kind, depth: number, texts: readonly string[] = []): string {
    if (depth === 0 || this.random() < 0.15) return this.leaf(kind, texts);
    const of = (other: Kind): string => this.write(other, depth - 1, texts);
    switch (kind) {
      case 'bool':
        return this.condition(depth, texts);
      case 'int':
        return this.pick([
          () => `(${of('int')} ${this.pick(['+', '-', '*', '/', '%'])} ${of('int')})`,
          () => `size(${of('list')})`,
          () => `${of('string')}.size()`,
          () => `(${of('bool')} ? ${of('int')} : ${of('int')})`,
          () => `-${of('int')}`,
        ])();
      case 'string':
        return this.pick([
          () => `(${of('string')} + ${of('string')})`,
          () => `${of('string')}.lowerAscii()`,
          () => `${of('list')}[${this.pick(['0', '1', '99'])}]`,
        ])();
      case 'list':
        return this.pick([
          () => `[${of('string')}, ${of('string')}]`,
          () => `(${of('list')} + ${of('list')})`,
          () => this.macro('filter', depth, texts),
          () => `[${of('list')}, ${of('list')}][${this.pick(['0', '1'])}]`,
        ])();
      case 'time':
        return `(${of('time')} - duration("${this.pick(['1h', '90m', '36h30m'])}"))`;
    }
  }

  private condition(depth: number, texts: readonly string[]): string {
    const of = (other: Kind): string => this.write(other, depth - 1, texts);
    const compare = this.pick(['==', '!=', '<', '<=', '>', '>=']);
    return this.pick([
      () => `(${of('bool')} ${this.pick(['&&', '||'])} ${of('bool')})`,
      () => `!${of('bool')}`,
      () => `(${of('int')} ${compare} ${of('int')})`,
      () => `(${of('string')} ${compare} ${of('string')})`,
      () => `(${of('time')} ${compare} ${of('time')})`,
      () => `(${of('string')} in ${of('list')})`,
      () => `${of('string')}.${this.pick(['contains', 'startsWith', 'endsWith'])}(${of('string')})`,
      () => this.macro(this.pick(['all', 'exists', 'exists_one']), depth, texts),
      () => this.listsOfLists(of('list')),
    ])();
  }

  private macro(name: string, depth: number, texts: readonly string[]): string {
    const variable = `v${(this.variables += 1)}`;
    const list = this.write('list', depth - 1, texts);
    return `${list}.${name}(${variable}, ${this.write('bool', depth - 1, [...texts, variable])})`;
  }

  /** Refused, however short: each item of the outer list would be a whole list. */
  private listsOfLists(list: string): string {
    const many = Array.from({ length: 20 }, () => list).join(', ');
    const [outer, inner] = [`v${(this.variables += 1)}`, `v${(this.variables += 1)}`];
    return `[${many}].all(${outer}, ${outer}.all(${inner}, ${inner} != "x"))`;
  }

  private leaf(kind: Kind, texts: readonly string[]): string {
    const leaves: Record<Kind, readonly string[]> = {
      bool: ['true', 'false', 'isNew'],
      int: ['0', '1', '-7', '9223372036854775807', 'hour', 'tenantRedemptions', 'spent["EUR"]', 'spent.USD'],
      string: ['"vip"', "'a\\n'", 'productLine', 'deviceId', 'date', ...texts, ...texts],
      list: ['userTags', '["a", "vip"]', 'userTags'],
      time: ['now', 'timestamp("2026-12-24T18:00:00Z")'],
    };
    return this.pick(leaves[kind]);
  }

  /** The text with some of its characters or words changed. */
  break(text: string): string {
    const at = Math.floor(this.random() * text.length);
    const other = this.pick([
      '(',
      ')',
      '"',
      '\\',
      '.',
      '[',
      '?',
      ' user ',
      '1.5',
      '🙂',
      '\n',
      'matches("(a+)+$")',
      '/*',
      '\0',
    ]);
    return this.pick([
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at) + other + text.slice(at),
      text.slice(0, at),
      text.replace(this.pick(['userTags', '&&', '==', 'hour', '"vip"', 'exists']), other),
    ]);
  }
}

/** As many and as long tags as a user can have, and a count of the items that were looked at. */
function worstFacts(): { readonly facts: ConditionFacts; readonly looked: () => number } {
  let looked = 0;
  const tags = Array.from({ length: 64 }, (_, at) => `${'x'.repeat(120)}${at}`);
  const userTags = new Proxy(tags, {
    get: (target, name, receiver): unknown => {
      if (typeof name === 'string' && /^\d+$/.test(name)) looked += 1;
      return Reflect.get(target, name, receiver);
    },
  });
  const facts = {
    userTags,
    isNew: true,
    productLine: 'APP_A',
    deviceId: 'd'.repeat(64),
    date: '2026-12-24',
    hour: 18n,
    tenantRedemptions: 0n,
    spent: { EUR: 0n, USD: 7n },
    now: new Date('2026-12-24T18:00:00Z'),
  };
  return { facts, looked: () => looked };
}

describe('conditions of any form', () => {
  it(`are answered: ${EXPRESSIONS} of them are refused with their place, or evaluated within their steps`, () => {
    const writer = new Writer(randomOf(SEED));
    const counts: Record<string, number> = {};
    const wrong: string[] = [];
    for (let n = 0; n < EXPRESSIONS; n += 1) {
      const whole = writer.write('bool', 1 + (n % 5));
      const isWhole = n % 2 === 0;
      const text = isWhole ? whole : writer.break(whole);
      const compiled = CONDITION_LANGUAGE.compile(text);
      if (!(compiled instanceof Expression)) {
        const { line, column, length } = compiled.position;
        const isInText = column + length <= (text.split('\n')[line - 1]?.length ?? -1) + 2;
        if (!isInText || (isWhole && !compiled.code.includes('_TOO_')))
          wrong.push(`${compiled.text} ${text}`);
        counts[compiled.code] = (counts[compiled.code] ?? 0) + 1;
        continue;
      }
      const { facts, looked } = worstFacts();
      const holds = compiled.holds(facts);
      const outcome = typeof holds === 'boolean' ? 'EVALUATED' : holds.code;
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (looked() > compiled.steps) wrong.push(`${looked()} items in ${compiled.steps} steps: ${text}`);
    }
    expect(wrong).toEqual([]);
    expect(Object.keys(counts).toSorted()).toEqual([
      'EVALUATED',
      'EXPRESSION_FACT_UNKNOWN',
      'EXPRESSION_FAILED',
      'EXPRESSION_FUNCTION_UNKNOWN',
      'EXPRESSION_MALFORMED',
      'EXPRESSION_TOO_COMPLEX',
      'EXPRESSION_TOO_COSTLY',
      'EXPRESSION_TOO_LONG',
      'EXPRESSION_TYPES_DIFFER',
      'EXPRESSION_VALUE_NOT_POSSIBLE',
    ]);
    expect(counts['EVALUATED']).toBeGreaterThan(EXPRESSIONS / 4);
  });
});
