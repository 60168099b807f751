import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, VARIABLES } from '../../src/config.js';

const SECRETS = { JWT_SECRET: 'j'.repeat(32), CODE_PEPPER: 'p'.repeat(32) };
const PRODUCTION = { DATABASE_URL: 'mysql://h/d', REDIS_URL: 'redis://h', ...SECRETS };
const exampleText = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const example = parseEnv(exampleText) as Record<string, string>;

/** The error of a wrong environment; null where nothing is wrong with it. */
function complaintOf(environment: Record<string, string>): string | null {
  try {
    loadConfig(environment);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('.env.example', () => {
  it('names every variable and no other', () => {
    expect(Object.keys(example).toSorted()).toEqual([...VARIABLES].toSorted());
  });

  it('gives each its default', () => {
    expect(loadConfig(example)).toEqual(loadConfig({}));
    expect(VARIABLES.filter((name) => example[name] === '').toSorted()).toEqual(
      VARIABLES.filter((name) => !(name in loadConfig({}))).toSorted(),
    );
  });

  it('explains each on the line before it, or together with the one before', () => {
    const blocks = exampleText.split('\n').map((line) => (line.startsWith('#') ? '#' : line.split('=')[0]));
    const unexplained = blocks.filter(
      (line, index) => line !== '' && line !== '#' && blocks[index - 1] === '',
    );
    expect(unexplained).toEqual([]);
  });
});

describe('the configuration', () => {
  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig(Object.fromEntries(VARIABLES.map((name) => [name, ''])))).toEqual(loadConfig({}));
  });

  it.each([
    'redis+cluster://a:1',
    'redis+cluster://user:p%40ss@a:1,b,[::1]:3',
    'rediss+cluster://:secret@a:1/',
  ])('X.14 takes nodes of a Redis Cluster: %s', (REDIS_URL) => {
    expect(complaintOf({ ...PRODUCTION, REDIS_URL })).toBeNull();
  });

  it('leaves variables of others alone', () => {
    expect(loadConfig({ HOME: '/root', PORT: '80' })).toEqual({ ...loadConfig({}), PORT: 80 });
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['ROLE', 'ALL'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '4e3'],
    ['PORT', ' '],
    ['PORT', '0x50'],
    ['DATABASE_URL', 'postgres://db/redeemkit'],
    ['DATABASE_URL', 'mysql://h:port/d'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis://a:1,b:2'],
    ['REDIS_URL', 'redis+cluster://'],
    ['REDIS_URL', 'redis+cluster://a:1,b:port'],
    ['REDIS_URL', 'redis+cluster://a:1/0'],
    ['LOG_LEVEL', 'loud'],
    ['TRUST_PROXY', 'yes'],
    ['TRUST_PROXY', '17'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['STORE_TIMEOUT_MS', '1s'],
    ['COMMIT_BATCH_MAX', '257'],
    ['INTROSPECTION', 'on'],
    ['JWT_SECRET', 'short'],
    ['CODE_PEPPER', 'short'],
  ])('refuses %s=%j and names it', (name, value) => {
    expect(complaintOf({ [name]: value })).toContain(` ${name} `);
  });

  it('says what a number may be', () => {
    expect(complaintOf({ PORT: 'http' })).toContain('PORT must be a whole number from 0 to 65535');
    expect(complaintOf({ MONEY_TIME_ZONE: 'Mars/Base' })).toContain('MONEY_TIME_ZONE must be a time zone');
  });

  it('names all that is wrong at once', () => {
    const complaint =
      complaintOf({ NODE_ENV: 'production', PORT: 'x', ROLE: 'x', CODE_PEPPER: 'short' }) ?? '';
    expect(complaint.split(/: |; /).map((part) => part.split(' ')[0])).toEqual([
      'Wrong',
      'ROLE',
      'PORT',
      'CODE_PEPPER',
      'DATABASE_URL',
      'REDIS_URL',
      'JWT_SECRET',
    ]);
    expect(complaint).not.toContain('\n');
  });

  it.each(VARIABLES)('never shows the value of %s', (name) => {
    const value = 'kx#correct-horse';
    const address = name.endsWith('_URL') ? `postgres://${value}@h` : value;
    const complaint = complaintOf({ ...PRODUCTION, NODE_ENV: 'production', [name]: address });
    expect(complaint ?? '').not.toContain(value);
  });

  it.each(Object.keys(PRODUCTION))('requires %s in production', (name) => {
    expect(loadConfig({ NODE_ENV: 'production', ...PRODUCTION }).NODE_ENV).toBe('production');
    expect(complaintOf({ NODE_ENV: 'production', ...PRODUCTION, [name]: '' })).toBe(
      `Wrong settings in the environment: ${name} must be set in production.`,
    );
  });

  it.each([
    [{ JWT_SECRET: 's'.repeat(32), CODE_PEPPER: 's'.repeat(32) }, 'JWT_SECRET and CODE_PEPPER'],
    [{ ...SECRETS, JWT_SECRET_PREVIOUS: SECRETS.CODE_PEPPER }, 'JWT_SECRET_PREVIOUS and CODE_PEPPER'],
    [{ ...SECRETS, CODE_PEPPER_PREVIOUS: SECRETS.CODE_PEPPER }, 'CODE_PEPPER and CODE_PEPPER_PREVIOUS'],
    [
      { ...SECRETS, CODE_PEPPER_PREVIOUS: `${'o'.repeat(32)},${SECRETS.JWT_SECRET}` },
      'JWT_SECRET and CODE_PEPPER_PREVIOUS',
    ],
  ])('X.21 refuses one secret for two purposes: %#', (environment, names) => {
    expect(complaintOf(environment)).toContain(`${names} must not have the same value`);
  });

  it.each([
    [{ REPLY_WITHIN_MS: '15000' }, 'REPLY_WITHIN_MS must be less than CLAIM_DEADLINE_MS'],
    [{ CLAIM_DEADLINE_MS: '2000' }, 'REPLY_WITHIN_MS must be less than CLAIM_DEADLINE_MS'],
    [{ PENDING_ATTEMPTS: '130' }, 'PENDING_ATTEMPTS with pauses up to PENDING_BACKOFF_MAX_MS must end'],
    [{ PENDING_BACKOFF_MAX_MS: '80000' }, 'PENDING_ATTEMPTS with pauses up to'],
  ])('S0.10 refuses times that do not go together: %j', (environment, complaint) => {
    expect(complaintOf(environment)).toContain(complaint);
  });

  it.each([
    { REPLY_WITHIN_MS: '14999' },
    { CLAIM_DEADLINE_MS: '2001' },
    { PENDING_ATTEMPTS: '120' },
    { PENDING_ATTEMPTS: '1000', PENDING_BACKOFF_MAX_MS: '7000' },
  ])('takes times that just go together: %j', (environment) => {
    expect(complaintOf(environment)).toBeNull();
  });

  it.each([
    [{ DATABASE_URL: 'mysql://user:password@h/d' }, 'password'],
    [{ REDIS_URL: 'redis://:password@h' }, 'password'],
  ])('takes the addresses of both stores or of neither', (environment, hidden) => {
    const complaint = complaintOf(environment);
    expect(complaint).toContain('DATABASE_URL');
    expect(complaint).toContain('REDIS_URL');
    expect(complaint).not.toContain(hidden);
  });
});

describe('CORS_ORIGINS', () => {
  it('takes * and lists of origins', () => {
    expect(loadConfig({ CORS_ORIGINS: '*' }).CORS_ORIGINS).toEqual(['*']);
    expect(loadConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).CORS_ORIGINS).toEqual([
      'https://a.example',
      'http://localhost:5173',
    ]);
    expect(loadConfig({}).CORS_ORIGINS).toBeUndefined();
  });

  it.each([
    'https://a.example/',
    'a.example',
    'https://A.example',
    'https://a.example/path',
    'https://*.example',
  ])('refuses %s, which no browser sends as an origin', (origin) => {
    expect(() => loadConfig({ CORS_ORIGINS: origin })).toThrow(/CORS_ORIGINS/);
  });
});

describe('CAPTCHA_VERIFIER', () => {
  it('is http, and must not be local in production', () => {
    expect(loadConfig({}).CAPTCHA_VERIFIER).toBe('http');
    const local = { CAPTCHA_VERIFIER: 'local' };
    expect(complaintOf(local)).toBeNull();
    expect(complaintOf({ ...PRODUCTION, NODE_ENV: 'production', ...local })).toContain('CAPTCHA_VERIFIER');
  });
});
