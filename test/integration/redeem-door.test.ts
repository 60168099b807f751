import { randomBytes } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import type { Actor } from '../../src/graphql/actor.js';
import { REDEEM_REFUSAL_CODES } from '../../src/redemption/redemption.errors.js';
import type { RunningServer } from '../../src/app/server.js';
import { startApi } from '../support/api-server.js';
import { signedUser, signedUsers, type SignedUser } from '../support/cluster.js';
import { factsAfter, factsOf } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { OpenApiDocument } from '../support/openapi.js';
import { DOOR, RedeemDoors, type Answer, type Call, type Reply } from '../support/redeem-doors.js';
import { holdCode } from '../support/row-lock.js';
import {
  emOf,
  openWorld,
  seedCampaign,
  seedTenant,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let server: RunningServer;
let document: OpenApiDocument;
let doors: RedeemDoors;
let tenant: SeededTenant;

/** @param replyWithinMs after which a redemption that is not committed is answered PROCESSING */
async function start(replyWithinMs: number): Promise<RunningServer> {
  return startApi({
    CLAIM_DEADLINE_MS: '120000',
    REPLY_WITHIN_MS: String(replyWithinMs),
    HELD_WAIT_MS: '20000',
    LOCKOUT_USER_FAILURES: '0',
    CORS_ORIGINS: 'https://shop.example',
  });
}

openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(start(60_000));
  document = await OpenApiDocument.of(server.address);
  doors = new RedeemDoors(server.address, document);
  tenant = await seedTenant(world);
});

const door = async (call: Call): Promise<Reply> => doors.door(call);
const mutation = async (call: Call): Promise<Answer> => doors.mutation(call);
const key = (): string => randomBytes(8).toString('hex');
const freshCode = async (rule: Record<string, unknown> = {}): Promise<string> =>
  (await seedCampaign(world, tenant, 1, { rule })).codes[0] ?? '';
const tokenOf = (actor: Actor): string => world.services.tokens.sign(actor, 900);

describe('POST /api/redeem', () => {
  it('S4.22: one key by REST and by GraphQL at once is one redemption, and both get its answer', async () => {
    const own = await seedTenant(world);
    const { codes } = await seedCampaign(world, own, 20);
    const users = await signedUsers(world, own.tenantId, codes.length);
    const pairs = await Promise.all(
      codes.map(async (code, at) => {
        const call = { token: users[at]?.token ?? '', headers: { 'idempotency-key': key() }, body: { code } };
        return Promise.all([door(call), mutation(call), door(call), mutation(call)]);
      }),
    );
    for (const [first, second, third, fourth] of pairs) {
      expect(first.http).toBe(200);
      expect(first.answer).toMatchObject({ status: 'COMMITTED', errors: [] });
      expect(second).toEqual(first.answer);
      expect(third).toEqual(first);
      expect(fourth).toEqual(first.answer);
    }
    expect(await factsOf(world, own.tenantId)).toEqual(factsAfter(codes.length));
  });

  it('S4.22: of one code by both doors with two keys one commits, and the other says what the mutation says', async () => {
    const own = await seedTenant(world);
    const { codes } = await seedCampaign(world, own, 10);
    const [one, two] = [await signedUser(world, own.tenantId), await signedUser(world, own.tenantId)];
    const outcomes = await Promise.all(
      codes.map(async (code) => {
        const [rest, graph] = await Promise.all([
          door({ token: one.token, headers: { 'idempotency-key': key() }, body: { code } }),
          mutation({ token: two.token, headers: { 'idempotency-key': key() }, body: { code } }),
        ]);
        return [rest.answer, graph].map(({ status, errors }) => errors[0]?.code ?? status).toSorted();
      }),
    );
    expect(outcomes).toEqual(codes.map(() => ['CODE_EXHAUSTED', 'COMMITTED']));
    expect((await factsOf(world, own.tenantId)).committed).toBe(codes.length);
  });

  it('S4.22: refuses as the mutation does, each refusal with its status, and writes nothing', async () => {
    const [used, expired] = [await freshCode(), await freshCode({ validDays: 1 })];
    const assigned = await freshCode();
    const [other, ...pair] = await signedUsers(world, tenant.tenantId, 3);
    const [mine, twin] = pair as [SignedUser, SignedUser];
    const em = emOf(world, tenant.tenantId);
    const past = new Date(Date.now() - 1000);
    await em.nativeUpdate(Code, { codeText: expired }, { expiresAt: past });
    await em.nativeUpdate(Code, { codeText: assigned }, { assignedUserId: other?.userId ?? '' });
    for (const { token } of pair) await door({ token, body: { code: await freshCode() } });
    await door({ token: other?.token ?? '', body: { code: used } });
    const [ofMine, ofTwin] = [await freshCode(), await freshCode()];
    await door({ token: mine.token, headers: { 'idempotency-key': 'k1' }, body: { code: ofMine } });
    await door({ token: twin.token, headers: { 'idempotency-key': 'k1' }, body: { code: ofTwin } });
    const before = await factsOf(world, tenant.tenantId);
    const cases: (readonly [string, number, Call['headers'], (user: SignedUser) => object])[] = [
      ['PRODUCT_REQUIRED', 400, { 'x-product-code': '' }, () => ({ code: used })],
      ['PRODUCT_UNKNOWN', 400, { 'x-product-code': 'NONE' }, () => ({ code: used })],
      ['DEVICE_ID_MALFORMED', 400, { 'x-device-id': 'a b' }, () => ({ code: used })],
      ['IDEMPOTENCY_KEY_MALFORMED', 400, {}, () => ({ code: used, idempotencyKey: 'ü' })],
      [
        'IDEMPOTENCY_KEYS_DIFFER',
        400,
        { 'idempotency-key': 'a' },
        () => ({ code: used, idempotencyKey: 'b' }),
      ],
      ['IDEMPOTENCY_KEY_REUSED', 422, { 'idempotency-key': 'k1' }, () => ({ code: used })],
      ['CODE_MALFORMED', 422, {}, () => ({ code: '' })],
      ['CODE_NOT_FOUND', 404, {}, () => ({ code: 'ABCDEFGH23456789' })],
      ['CODE_EXPIRED', 410, {}, () => ({ code: expired })],
      ['CODE_EXHAUSTED', 410, {}, () => ({ code: used })],
      ['CODE_NOT_YOURS', 403, {}, () => ({ code: assigned })],
      ['ALREADY_REDEEMED', 409, {}, (user) => ({ code: user === mine ? ofMine : ofTwin })],
    ];
    for (const [code, status, headers = {}, body] of cases) {
      const rest = await door({ token: mine.token, headers, body: body(mine) });
      const graph = await mutation({ token: twin.token, headers, body: body(twin) });
      expect([code, rest.http, rest.answer.errors.map((error) => error.code)]).toEqual([
        code,
        status,
        [code],
      ]);
      expect([code, rest.answer.status, rest.answer.errors]).toEqual([code, graph.status, graph.errors]);
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual(before);
  });

  it('S4.22: counts in the same windows as the mutation, and says when to come again', async () => {
    const own = await seedTenant(world);
    await world.services.lines.create(own.tenantId, { code: 'TWO', name: 'Two', hourLimit: 2, dayLimit: 0 });
    const users = await signedUsers(world, own.tenantId, 4);
    const { codes } = await seedCampaign(world, own, 4);
    const headers = { 'x-product-code': 'TWO' };
    const call = (at: number): Call => ({
      token: users[at]?.token ?? '',
      headers,
      body: { code: codes[at] },
    });
    expect((await door(call(0))).http).toBe(200);
    expect(await mutation(call(1))).toMatchObject({ status: 'COMMITTED' });
    const refused = await door(call(2));
    const { errors } = refused.answer;
    expect([refused.http, errors.map(({ code }) => code)]).toEqual([429, ['RATE_LIMITED']]);
    expect(refused.retryAfter).toBe(String(Math.ceil((errors[0]?.retryAfterMs ?? 0) / 1000)));
    expect((await mutation(call(3))).errors.map(({ code }) => code)).toEqual(['RATE_LIMITED']);
    expect((await factsOf(world, own.tenantId)).committed).toBe(2);
  });

  it('answers 202 PROCESSING with the order number while the database is slow', async () => {
    const own = await seedTenant(world);
    const { codes } = await seedCampaign(world, own, 1);
    const [row] = await emOf(world, own.tenantId).find(Code, {});
    const letGo = await holdCode(world, own.tenantId, row?.id ?? '');
    const { token } = await signedUser(world, own.tenantId);
    const impatient = await start(300);
    const { http, answer } = await new RedeemDoors(impatient.address, document).door({
      token,
      headers: { 'idempotency-key': key() },
      body: { code: codes[0] },
    });
    await letGo();
    await impatient.stop();
    expect([http, answer.status, answer.errors]).toEqual([202, 'PROCESSING', []]);
    expect(answer.orderNo).not.toBeNull();
  });
});

it('pages of the allowed origins may call the door, and no others', async () => {
  const url = new URL(DOOR.path, server.address);
  const asked = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'x-product-code',
  };
  const allowed = async (origin: string) => {
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { ...asked, origin } });
    const call = await fetch(url, { method: 'POST', headers: { origin } });
    return [preflight, call].map(({ headers }) => headers.get('access-control-allow-origin'));
  };
  expect(await allowed('https://shop.example')).toEqual(['https://shop.example', 'https://shop.example']);
  expect(await allowed('https://other.example')).toEqual([null, null]);
});

describe('the user of a call', () => {
  it('is that of the token: its id, its external id, null and none are taken, another is refused with 403 and nothing counted', async () => {
    const { tenantId } = tenant;
    const [mine, other] = (await signedUsers(world, tenantId, 2)) as [SignedUser, SignedUser];
    const { token, userId } = mine;
    for (const named of [userId, `u${userId}`, null, undefined]) {
      const { http } = await door({ token, body: { code: await freshCode(), userId: named } });
      expect([named, http]).toEqual([named, 200]);
    }
    const code = await freshCode();
    const before = await factsOf(world, tenantId);
    for (const named of [other.userId, `u${other.userId}`, '', '0', ` ${userId}`]) {
      const { http, answer } = await door({
        token,
        body: { code, userId: named },
      });
      expect([named, http, answer.errors]).toMatchObject([
        named,
        403,
        [{ code: 'USER_ID_DIFFERS', field: ['userId'] }],
      ]);
    }
    expect(await factsOf(world, tenantId)).toEqual(before);
    expect((await door({ token: other.token, body: { code, userId: other.userId } })).http).toBe(200);
  });

  it('without a token is 401, and staff and nodes are 403, in the form of every other refusal', async () => {
    const code = await freshCode();
    const { tenantId } = tenant;
    const callers: (readonly [string | undefined, number, string])[] = [
      [undefined, 401, 'UNAUTHENTICATED'],
      ['nonsense', 401, 'UNAUTHENTICATED'],
      [tokenOf({ kind: 'STAFF', tenantId, staffId: 's', role: 'OWNER' }), 403, 'FORBIDDEN'],
      [tokenOf({ kind: 'NODE', tenantId, nodeId: '1' }), 403, 'FORBIDDEN'],
      [tokenOf({ kind: 'USER', tenantId, userId: world.services.ids.next() }), 403, 'USER_DISABLED'],
      [tokenOf({ kind: 'USER', tenantId: 'NOBODY', userId: '1' }), 403, 'TENANT_NOT_ACTIVE'],
    ];
    for (const [token, status, expected] of callers) {
      const impatient = await start(300);
      const { http, answer } = await new RedeemDoors(impatient.address, document).door({
        body: { code },
        ...(token !== undefined && { token }),
      });
      expect([http, answer.status, answer.errors.map((error) => error.code)]).toEqual([
        status,
        'REFUSED',
        [expected],
      ]);
    }
  });
});

describe('a body', () => {
  it('that is none is refused before anything is done, in the form of every other refusal', async () => {
    const { token } = await signedUser(world, tenant.tenantId);
    const before = await factsOf(world, tenant.tenantId);
    const cases: (readonly [string, number, string, Record<string, string>?])[] = [
      ['{', 400, 'BAD_REQUEST'],
      ['', 400, 'BAD_REQUEST'],
      ['[]', 400, 'BAD_USER_INPUT'],
      ['null', 400, 'BAD_USER_INPUT'],
      ['{}', 400, 'BAD_USER_INPUT'],
      ['{"code":5}', 400, 'BAD_USER_INPUT'],
      ['{"code":"A","more":1}', 400, 'BAD_USER_INPUT'],
      ['{"code":"A","__proto__":{"x":1}}', 400, 'BAD_REQUEST'],
      [JSON.stringify({ code: 'x'.repeat(300_000) }), 413, 'REQUEST_TOO_LARGE'],
      ['code=A', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['{"code":"A"}', 400, 'BAD_USER_INPUT', { 'idempotency-key': 'k'.repeat(200) }],
    ];
    for (const [text, status, expected, headers = {}] of cases) {
      const impatient = await start(300);
      const { http, answer } = await new RedeemDoors(impatient.address, document).door({
        token,
        text,
        headers,
      });
      expect([text.slice(0, 40), http, answer.status, answer.errors.map(({ code }) => code)]).toEqual([
        text.slice(0, 40),
        status,
        'REFUSED',
        [expected],
      ]);
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual(before);
  });
});

describe('/api/openapi.json', () => {
  it('is a valid OpenAPI 3.1 document that lists every route of the features but those of the console', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document.json));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(document.json['openapi']).toBe('3.1.0');
    const routes = world.app.routes
      .filter(({ path }) => !path.startsWith('/console/'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(document.operations.toSorted()).toEqual(routes.toSorted());
  });

  it('lists the only methods of each path: every other one is answered 405 with them, also with a body of another type', async () => {
    const paths = Map.groupBy(world.app.routes, ({ path }) => path);
    for (const [path, routes] of paths) {
      const methods = routes.map(({ method }) => method);
      const allow = methods.toSorted().join(', ');
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
        (each) => !methods.includes(each as 'GET'),
      )) {
        const sent = method === 'GET' ? {} : { body: 'a,b', headers: { 'content-type': 'text/csv' } };
        const reply = await fetch(server.address + path.replaceAll(/:\w+/g, '5'), { method, ...sent });
        expect([method, path, reply.status, reply.headers.get('allow')]).toEqual([method, path, 405, allow]);
        expect(await reply.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
      }
    }
  });

  it('names every refusal of a redemption under the status that the door answers', () => {
    const responses = (document.json['paths'] as Record<string, Record<string, { responses: object }>>)[
      DOOR.path
    ];
    const text = JSON.stringify(responses?.['post']?.responses);
    expect(REDEEM_REFUSAL_CODES.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
    expect(Object.keys(responses?.['post']?.responses ?? {})).toEqual([
      '200',
      '202',
      '400',
      '401',
      '403',
      '404',
      '409',
      '410',
      '413',
      '415',
      '422',
      '429',
      '500',
      '503',
    ]);
  });

  it('describes the answers of the other routes: files, refused exports, and the callback of payments', async () => {
    const staff = tokenOf({ kind: 'STAFF', tenantId: tenant.tenantId, staffId: 's', role: 'OWNER' });
    const { campaignId } = await seedCampaign(world, tenant, 2);
    const { token: user } = await signedUser(world, tenant.tenantId);
    const calls: (readonly [string, string, string, RequestInit, number])[] = [
      ['GET', '/api/codes.csv', `/api/codes.csv?campaignId=${campaignId}`, { headers: bearer(staff) }, 200],
      ['GET', '/api/codes.csv', '/api/codes.csv', { headers: bearer(staff) }, 400],
      ['GET', '/api/codes.csv', '/api/codes.csv?batchId=5', { headers: bearer(staff) }, 404],
      ['GET', '/api/codes.csv', '/api/codes.csv?batchId=5', { headers: bearer(user) }, 403],
      ['GET', '/api/codes.qr.zip', '/api/codes.qr.zip?batchId=5', {}, 401],
      ['GET', '/api/codes/{id}/qr.svg', '/api/codes/5/qr.svg', { headers: bearer(staff) }, 404],
      ['GET', '/api/imports/{id}/refused.csv', '/api/imports/5/refused.csv', { headers: bearer(staff) }, 404],
      ['PUT', '/api/imports/{id}', '/api/imports/5', { headers: csv(staff), body: 'code\n' }, 404],
      [
        'PUT',
        '/api/imports/{id}',
        '/api/imports/5',
        { headers: { ...csv(staff), 'content-type': 'text/plain' }, body: 'x' },
        415,
      ],
      ['POST', '/api/payments/callback', '/api/payments/callback', { body: '{}', headers: json() }, 404],
    ];
    for (const [method, path, url, init, status] of calls) {
      const reply = await fetch(new URL(url, server.address), { method, ...init });
      const body = await reply.text();
      const seen = {
        method,
        path,
        status: reply.status,
        contentType: reply.headers.get('content-type'),
        body,
      };
      expect([url, document.faultOf(seen), reply.status]).toEqual([url, null, status]);
    }
  });
});

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const csv = (token: string): Record<string, string> => ({ ...bearer(token), 'content-type': 'text/csv' });
const json = (): Record<string, string> => ({ 'content-type': 'application/json' });
