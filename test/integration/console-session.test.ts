import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { startApi } from '../support/api-server.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import { openWorld, seedTenant, type World } from '../support/world.js';

const AT_ONCE = 20;

let world: World;
let server: RunningServer;
let tenantId: string;
let email: string;
openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  ({ tenantId } = await seedTenant(world));
  ({ email } = await seedStaff(world, tenantId));
  server = await closing(startApi());
});

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly accessToken: string | null;
  readonly code: string | undefined;
}

/** As a page of the console sends it; an undefined header is not sent. */
async function post(
  path: string,
  body: object,
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<Answer> {
  const all = { 'content-type': 'application/json', origin: server.address, ...headers };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const reply = await fetch(`${server.address}/console/session${path}`, {
    method: 'POST',
    headers: given,
    body: JSON.stringify(body),
  });
  const answer = (await reply.json()) as { accessToken?: string | null; errors?: { code: string }[] };
  return {
    status: reply.status,
    cookie: reply.headers.get('set-cookie') ?? '',
    accessToken: answer.accessToken ?? null,
    code: answer.errors?.[0]?.code,
  };
}

const pairOf = (cookie: string): string => cookie.split(';')[0] ?? '';

async function signIn(): Promise<Answer> {
  return post('', { tenantId, email, password: PASSWORD });
}

async function isGood(accessToken: string | null): Promise<boolean> {
  const reply = await fetch(`${server.address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ query: '{ productLines { code } }' }),
  });
  const { data } = (await reply.json()) as { data?: object | null };
  return (data ?? null) !== null;
}

describe('X.26 the session of the console', () => {
  it('X.26 puts the refresh token into a cookie for its own routes alone, and never into an answer', async () => {
    const { status, cookie, accessToken } = await signIn();
    expect(status).toBe(200);
    expect(cookie).toMatch(
      /^redeemkit_session=rkr_[^;]+; Path=\/console\/session; HttpOnly; SameSite=Strict; Expires=/,
    );
    expect(await isGood(accessToken)).toBe(true);
    const secure = await post(
      '',
      { tenantId, email, password: PASSWORD },
      {
        origin: 'https://console.example',
        'sec-fetch-site': 'same-origin',
      },
    );
    expect(secure.cookie).toContain('; Secure');
  });

  it('X.26 refuses other origins, other sites and forms, whatever the cookie', async () => {
    const { cookie } = await signIn();
    const kept = { cookie: pairOf(cookie) };
    const port = new URL(server.address).port;
    const foreign = [
      { origin: 'http://evil.example' },
      { origin: server.address.replace(port, '1') },
      { origin: 'null' },
      { origin: undefined },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign)
      expect(await post('/refresh', {}, { ...kept, ...headers })).toMatchObject({
        status: 403,
        code: 'ORIGIN_FOREIGN',
        cookie: '',
      });
    expect((await post('/refresh', {}, { ...kept, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('/refresh', {}, kept)).accessToken).not.toBeNull();
  });

  it('X.26 says what is wrong with a sign-in, and opens none', async () => {
    const wrong = await post('', { tenantId, email, password: `${PASSWORD}!` });
    expect(wrong).toMatchObject({ status: 401, code: 'SIGN_IN_REFUSED', cookie: '' });
    expect(await post('', { tenantId, email })).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' });
  });

  it('X.26 is renewed by its cookie, which changes each time', async () => {
    const first = await signIn();
    const second = await post('/refresh', {}, { cookie: pairOf(first.cookie) });
    expect(pairOf(second.cookie)).not.toBe(pairOf(first.cookie));
    const third = await post('/refresh', {}, { cookie: pairOf(second.cookie) });
    expect(await isGood(third.accessToken)).toBe(true);
  });

  it('X.26 stays open when tabs send one cookie at once: all get the same next one', async () => {
    const { cookie } = await signIn();
    const kept = { cookie: pairOf(cookie) };
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, async () => post('/refresh', {}, kept)),
    );
    answers.push(await post('/refresh', {}, kept));
    expect(new Set(answers.map((answer) => pairOf(answer.cookie))).size).toBe(1);
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1);
    const next = await post('/refresh', {}, { cookie: pairOf(answers[0]?.cookie ?? '') });
    expect(await isGood(next.accessToken)).toBe(true);
    const keys = await world.stores.redis.keys('console:refresh:*');
    const values = await Promise.all(keys.map(async (key) => world.stores.redis.get(key)));
    expect(keys.length).toBeGreaterThan(0);
    expect(JSON.stringify([keys, values])).not.toMatch(/rkr_|eyJ/);
  });

  it('X.26 ends when a cookie comes again later, with all that followed from it', async () => {
    const first = await signIn();
    const second = await post('/refresh', {}, { cookie: pairOf(first.cookie) });
    // What is remembered of the first call has expired.
    for (const key of await world.stores.redis.keys('console:refresh:*')) await world.stores.redis.del(key);
    const again = await post('/refresh', {}, { cookie: pairOf(first.cookie) });
    expect(again).toMatchObject({ status: 200, accessToken: null });
    expect(again.cookie).toContain('Max-Age=0');
    expect((await post('/refresh', {}, { cookie: pairOf(second.cookie) })).accessToken).toBeNull();
    await expect.poll(async () => isGood(second.accessToken)).toBe(false);
  });

  it('X.26 ends by a sign-out, on the server and in the browser', async () => {
    const { cookie, accessToken } = await signIn();
    const ended = await post('/end', {}, { cookie: pairOf(cookie), authorization: `Bearer ${accessToken}` });
    expect(ended.cookie).toContain('Max-Age=0');
    expect(await isGood(accessToken)).toBe(false);
    expect((await post('/refresh', {}, { cookie: pairOf(cookie) })).accessToken).toBeNull();
  });

  it('X.26 is none without a cookie, or with one that was invented', async () => {
    expect(await post('/refresh', {})).toMatchObject({ status: 200, accessToken: null });
    const invented = { cookie: 'redeemkit_session=rkr_NONE.1.x.y; other=1' };
    expect(await post('/refresh', {}, invented)).toMatchObject({ status: 200, accessToken: null });
  });
});

describe('X.26 a one-time link', () => {
  it('X.26 signs in once, of any number of calls at the same moment', async () => {
    const { staffId } = await seedStaff(world, tenantId, 'AUDITOR');
    const token = await world.services.consoleLinks.create({ tenantId, staffId }, 60);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, async () => post('/link', { token })));
    const opened = answers.filter(({ status }) => status === 200);
    expect(opened).toHaveLength(1);
    expect(await isGood(opened[0]?.accessToken ?? null)).toBe(true);
    expect(answers.filter(({ code }) => code === 'LINK_UNKNOWN')).toHaveLength(AT_ONCE - 1);
    expect((await post('/link', { token })).code).toBe('LINK_UNKNOWN');
  });

  it('X.26 is worth nothing when it has expired, was invented, or its account was disabled', async () => {
    const { staffId } = await seedStaff(world, tenantId, 'AUDITOR');
    const staff = { tenantId, staffId };
    const token = await world.services.consoleLinks.create(staff, 60);
    await world.services.staffChanges.update(tenantId, staffId, { status: 'DISABLED' });
    expect((await post('/link', { token })).code).toBe('LINK_UNKNOWN');
    expect((await post('/link', { token: `rkl_${'a'.repeat(43)}` })).code).toBe('LINK_UNKNOWN');
    expect((await post('/link', { token: 'x' })).code).toBe('LINK_UNKNOWN');
  });
});
