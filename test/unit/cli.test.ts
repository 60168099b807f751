import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ttlSeconds } from '../../src/cli/arguments.js';
import { parseJson } from '../../src/cli/json-input.js';
import { createProgram } from '../../src/cli/program.js';

/** The program and every command below it, by its words. */
function commandsOf(command: CommandUnknownOpts, words = ''): (readonly [string, CommandUnknownOpts])[] {
  const below = command.commands.flatMap((child) => commandsOf(child, `${words} ${child.name()}`));
  return [[words.trim(), command], ...below];
}

describe('the help', () => {
  it('is there for every command', () => {
    const names = commandsOf(createProgram()).map(([name]) => name);
    expect(names).toEqual([
      '',
      'token',
      'tenant',
      'tenant create',
      'tenant list',
      'tenant update',
      'directory',
      'directory sync',
      'product-line',
      'product-line create',
      'product-line list',
      'product-line update',
      'staff',
      'staff invite',
      'staff reset',
      'staff list',
      'staff update',
      'user',
      'user list',
      'user update',
      'user export',
      'user erase',
      'partner',
      'partner create',
      'partner list',
      'partner update',
      'partner key',
      'partner key create',
      'partner key list',
      'partner key revoke',
      'partner operations',
      'partner operations register',
      'issuer',
      'issuer show',
      'issuer set',
      'issuer remove',
      'plan',
      'plan create',
      'plan list',
      'plan update',
      'node',
      'node create',
      'node list',
      'node update',
      'node delete',
      'node token',
      'currency',
      'currency create',
      'currency list',
      'facility',
      'facility create',
      'facility list',
      'balance',
      'balance adjust',
      'balance list',
      'coupon',
      'coupon create',
      'coupon list',
      'coupon issue',
      'points',
      'points grant',
      'campaign',
      'campaign create',
      'campaign list',
      'campaign update',
      'campaign activate',
      'campaign pause',
      'campaign resume',
      'campaign end',
      'campaign delete',
      'batch',
      'batch list',
      'batch cancel',
      'batch freeze',
      'batch unfreeze',
      'batch activate',
      'batch void',
      'batch extend',
      'codes',
      'codes list',
      'codes import',
      'codes export',
      'codes qr',
      'codes add',
      'codes pool',
      'codes allocate',
      'codes generate',
      'codes fetch',
      'redeem',
      'redemption',
      'redemption reverse',
      'webhook',
      'webhook list',
      'webhook replay',
      'audit',
      'audit list',
      'audit verify',
      'reconcile',
      'compensate',
      'recount',
      'pending',
      'pending list',
      'pending redrive',
      'redigest',
      'migrate',
      'schema',
    ]);
  });

  it('and docs/commands.md names every command', () => {
    const rows = readFileSync('docs/commands.md', 'utf8').matchAll(/^\| `([a-z -]+)` \|(.*?)\| /gm);
    const named = [...rows].flatMap(([, group = '', below = '']) => [
      group,
      ...[...below.matchAll(/`([a-z]+)`/g)].map(([, name]) => `${group} ${name}`),
    ]);
    const all = commandsOf(createProgram()).map(([name]) => name);
    expect(named.toSorted()).toEqual(all.filter((name) => name !== '').toSorted());
  });

  it.each(commandsOf(createProgram()))('for "%s" says what it is for, with one example', (name, command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain(`Usage: npx redeemkit ${name}`);
    expect(help).toContain('--verbose');
    expect(command.description()).toMatch(/\.$/);
    expect(help.match(new RegExp(`Example:\n  npx redeemkit ${name}`, 'g'))).toHaveLength(1);
  });
});

describe('a time to live', () => {
  it.each([
    ['900', 900],
    ['1s', 1],
    ['15m', 900],
    ['2h', 7200],
    ['7d', 604_800],
    ['366d', 31_622_400],
  ])('reads %s as %i seconds', (text, seconds) => {
    expect(ttlSeconds(text)).toBe(seconds);
  });

  it.each(['0', '0m', '-5m', '1.5h', '15 m', '15M', 'm', '', '1w', '367d', '9999999999'])(
    'refuses %j',
    (text) => {
      expect(() => ttlSeconds(text)).toThrow('Give a time such as 15m, 2h, 7d, or 900');
    },
  );
});

describe('a JSON file', () => {
  it('is read, with a byte order mark or without', () => {
    expect(parseJson('\uFEFF{"a": [1]}', 'rule.json')).toEqual({ a: [1] });
  });

  it.each([
    ['', 'line 1, column 1'],
    ['{', 'line 1, column 2'],
    ['{"a": b}', 'line 1, column 7'],
    ['{"a": 1,}', 'line 1, column 9'],
    ['{\n  "a": [1 2]\n}', 'line 2, column 11'],
    ['{"a": 1}\n\n}', 'line 3, column 1'],
    ['[1,]', 'line 1, column 4'],
    ['[trux]', 'line 1, column 5'],
    ['{"a":\n"x', 'line 2, column 3'],
    [`{"long": "${'x'.repeat(99)}",\n "b": ?}`, 'line 2, column 7'],
  ])('that is none is refused at its place: %j', (source, place) => {
    expect(() => parseJson(source, 'rule.json')).toThrow(
      new RegExp(String.raw`^rule\.json is not JSON: .* at ${place}\.$`),
    );
  });

  it('says in whole words that it ends too early', () => {
    expect(() => parseJson('{"a":', 'x')).toThrow('x is not JSON: Unexpected end at line 1, column 6.');
  });

  it('is not repeated in the refusal', () => {
    expect(() => parseJson('{"a": "secret", "b": c}', 'x')).toThrow(
      "x is not JSON: Unexpected token 'c' at line 1, column 22.",
    );
  });
});
