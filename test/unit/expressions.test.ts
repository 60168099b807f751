import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Expression } from '../../src/platform/expressions/expression-language.js';
import { ExpressionFault } from '../../src/platform/expressions/expression-fault.js';
import {
  CONDITION_FACTS,
  CONDITION_LANGUAGE,
  type ConditionFacts,
} from '../../src/rewards/condition-facts.js';

const FACTS: ConditionFacts = {
  userTags: ['vip', 'invited_user'],
  isNew: true,
  productLine: 'APP_A',
  deviceId: '',
  campaignRedemptions: 0n,
  tenantRedemptions: 2n,
  paidOrders: 1n,
  spent: { EUR: 120n },
  now: new Date('2026-12-24T17:30:00Z'),
  date: '2026-12-24',
  year: 2026n,
  month: 12n,
  day: 24n,
  weekday: 4n,
  hour: 18n,
  minute: 30n,
};

function compiled(text: string): Expression {
  const expression = CONDITION_LANGUAGE.compile(text);
  if (expression instanceof ExpressionFault) throw new Error(`${text}: ${expression.text}`);
  return expression;
}

function refusalOf(text: string): { code: string; line: number; column: number } {
  const fault = CONDITION_LANGUAGE.compile(text);
  if (fault instanceof Expression) throw new Error(`${text} is accepted`);
  const { code, position } = fault;
  return { code, line: position.line, column: position.column };
}

describe('a condition', () => {
  it.each([
    ['"vip" in userTags', true],
    ['"none" in userTags || isNew', true],
    ['userTags.exists(tag, tag.startsWith("invited_"))', true],
    ['userTags.all(tag, size(tag) > 3)', false],
    ['userTags.filter(tag, tag != "vip").size() == 1', true],
    ['userTags.exists(a, ["vi", "x"].exists(b, a.startsWith(b)))', true],
    ['productLine in ["APP_A", "WEB_B"] && deviceId == ""', true],
    ['campaignRedemptions == 0 && tenantRedemptions < 3', true],
    ['spent["EUR"] >= 100 && spent.EUR < 121 && paidOrders == 1', true],
    ['now < timestamp("2026-12-25T00:00:00+01:00")', true],
    ['now - timestamp("2026-12-24T00:00:00Z") > duration("17h30m")', false],
    ['date >= "2026-12-24" && date <= "2026-12-26"', true],
    ['weekday >= 6 || hour >= 18 // the weekend, or an evening\n && minute < 45', true],
    ['isNew ? hour % 2 == 0 : false', true],
    ['!isNew', false],
  ])('%s is %s', (text, holds) => {
    expect(compiled(text).holds(FACTS)).toBe(holds);
  });

  it('says what must be read for it, also of what is not reached', () => {
    expect([...compiled('isNew || "vip" in userTags && spent["EUR"] > spent.USD').facts]).toEqual([
      'isNew',
      'userTags',
      'spent',
    ]);
    expect([...compiled('spent["EUR"] > spent.USD').keysOf('spent')]).toEqual(['EUR', 'USD']);
    expect([...compiled('userTags.exists(isNew, isNew == "vip")').facts]).toEqual(['userTags']);
  });

  it.each([
    ['hour >', 'EXPRESSION_MALFORMED', 1, 7],
    ['(hour > 3', 'EXPRESSION_MALFORMED', 1, 10],
    ['isNew &', 'EXPRESSION_MALFORMED', 1, 7],
    ['', 'EXPRESSION_MALFORMED', 1, 1],
    ['isNew &&\n  "a', 'EXPRESSION_MALFORMED', 2, 3],
    ['userTags.exists(1, true)', 'EXPRESSION_MALFORMED', 1, 17],
    ['isNew &&\n  isOld', 'EXPRESSION_FACT_UNKNOWN', 2, 3],
    ['"😀" == productLine && user.isNew', 'EXPRESSION_FACT_UNKNOWN', 1, 23],
    ['userTags.exists(tag, tga == "a")', 'EXPRESSION_FACT_UNKNOWN', 1, 22],
    ['userTags.exists(tag, true) && tag == "a"', 'EXPRESSION_FACT_UNKNOWN', 1, 31],
    ['int == int', 'EXPRESSION_FACT_UNKNOWN', 1, 1],
    ['hour == "18"', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    ['isNew && hour', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    ['hour', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    ['isNew && hour + "a" == 2', 'EXPRESSION_TYPES_DIFFER', 1, 10],
    ['userTags.exists(tag, tag == 3)', 'EXPRESSION_TYPES_DIFFER', 1, 22],
    ['userTags["a"] == "b"', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    ['productLine.matches("(a+)+$")', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['now.getHours("Nowhere") == 1', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['dyn(hour) == "a"', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['int(productLine) == 1', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['cel.bind(x, productLine, x == x)', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['userTags.map(tag, tag + tag).size() > 1', 'EXPRESSION_FUNCTION_UNKNOWN', 1, 1],
    ['now > timestamp("tomorrow")', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 17],
    ['now > timestamp("2026-13-24T18:00:00Z")', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 17],
    ['now > now - duration(productLine)', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 22],
    ['spent[productLine] > 1', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 1],
    ['spent[1] > 1', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 1],
    // Only keys in the text are read; another one would be missing, where it has to be 0.
    ['spent == spent', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 1],
    ['(isNew ? spent : spent)["EUR"] > 1', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 10],
    ['[spent].exists(each, each["EUR"] > 1)', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 2],
    ['spent.all(currency, currency == "EUR")', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 1],
    ['now.seconds > 1', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    ['now[productLine] > 1', 'EXPRESSION_TYPES_DIFFER', 1, 1],
    // Items of inner lists would be looked at without being counted.
    ['[userTags].all(all, all.all(tag, tag != "a"))', 'EXPRESSION_TOO_COMPLEX', 1, 2],
    ['[["a"]] == [["a"]]', 'EXPRESSION_TOO_COMPLEX', 1, 2],
    ['hour > 9223372036854775808', 'EXPRESSION_VALUE_NOT_POSSIBLE', 1, 8],
    ['userTags.all(a, userTags.all(b, a == b))', 'EXPRESSION_TOO_COSTLY', 1, 1],
    ['[1].all(a, [1].all(b, [1].all(c, a == b)))', 'EXPRESSION_TOO_COMPLEX', 1, 23],
    [`${'('.repeat(40)}isNew${')'.repeat(40)}`, 'EXPRESSION_TOO_COMPLEX', 1, 21],
    [`${'!'.repeat(300)}isNew`, 'EXPRESSION_TOO_COMPLEX', 1, 101],
    [`isNew${' '.repeat(1000)}`, 'EXPRESSION_TOO_LONG', 1, 1001],
  ])('is refused where it stands: %s', (text, code, line, column) => {
    expect(refusalOf(text)).toEqual({ code, line, column });
  });

  it('is judged in time that grows with its length, however its parts are chained', () => {
    const { steps } = compiled(`productLine${'.lowerAscii()'.repeat(18)} == "app_a"`);
    expect(steps).toBeLessThan(1000);
    expect(refusalOf(`"a"${' + "a"'.repeat(150)} == "a"`)).toMatchObject({ code: 'EXPRESSION_TOO_COMPLEX' });
    expect(compiled(`isNew${' || isNew'.repeat(90)}`).holds(FACTS)).toBe(true);
    // The library makes an error for each item.
    const failing = 'userTags.all(tag, 9223372036854775807 + hour == 1 || true)';
    expect(compiled(failing).steps).toBeGreaterThan(64 * 32);
    expect(compiled(`size(b"${'a'.repeat(160)}") == 160`).steps).toBeGreaterThan(10);
  });

  it('shows the line with a caret', () => {
    const fault = CONDITION_LANGUAGE.compile('isNew &&\n  hour > "x" && isNew') as ExpressionFault;
    expect(fault.position).toMatchObject({ length: 10, excerpt: '  hour > "x" && isNew\n  ^' });
    expect(fault.text).toBe('Line 2, column 3: No such overload: int > string.');
  });

  it.each([
    ['1 / campaignRedemptions > 1', 1],
    ['isNew && 1 % (hour - 18) > 1', 10],
    ['userTags[2] == "a"', 1],
    ['9223372036854775807 + hour > 0', 1],
  ])('that cannot be evaluated is answered as a fault: %s', (text, column) => {
    const fault = compiled(text).holds(FACTS);
    expect(fault).toMatchObject({ code: 'EXPRESSION_FAILED', position: { line: 1, column } });
  });
});

describe('the page about conditions', () => {
  const page = readFileSync(new URL('../../docs/conditions.md', import.meta.url), 'utf8');
  const section = (title: string): string => page.split(/^## /m).find((text) => text.startsWith(title)) ?? '';
  const rowsOf = (title: string): string[][] =>
    [...section(title).matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) => row.split(/(?<!\\) \| /));
  const unquoted = (cell = ''): string => cell.replaceAll('`', '').replaceAll('\\|', '|');

  it('lists every fact with its type', () => {
    const listed = rowsOf('Facts').flatMap(([names = '', type]) =>
      names.split(', ').map((name) => [unquoted(name), unquoted(type)]),
    );
    expect(listed).toEqual(Object.entries(CONDITION_FACTS).map(([name, { type }]) => [name, type]));
  });

  it('shows what its examples come to', () => {
    const [, json = ''] = /```json\n([^`]*)```/.exec(section('Examples')) ?? [];
    const facts = JSON.parse(json, (name, value: unknown) => {
      if (name === 'now') return new Date(String(value));
      return typeof value === 'number' ? BigInt(value) : value;
    }) as ConditionFacts;
    const rows = rowsOf('Examples').map(([text, holds]) => [unquoted(text), holds]);
    expect(rows).toHaveLength(12);
    expect(rows).toEqual(
      rows.map(([text = '']) => [text, compiled(text).holds(facts) === true ? 'yes' : 'no']),
    );
  });

  it('names the code and the place of each mistake', () => {
    const rows = rowsOf('Mistakes').map((row) => row.map(unquoted));
    expect(rows).toHaveLength(7);
    expect(rows).toEqual(
      rows.map(([text = '']) => {
        const { code, line, column } = refusalOf(text);
        return [text, code, `${line}, ${column}`];
      }),
    );
  });
});
