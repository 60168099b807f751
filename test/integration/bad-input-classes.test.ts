import 'reflect-metadata';
import { Agent, request } from 'node:http';
import pLimit from 'p-limit';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { RateLimit } from '../../src/limits/rate-limit.entity.js';
import { ProductLine } from '../../src/tenancy/product-line.entity.js';
import { Random } from '../faults/load/random.js';
import { startApi } from '../support/api-server.js';
import { badDoorRequest } from '../support/bad-door-requests.js';
import { BAD_REQUESTS, type BadRequest, type Target } from '../support/bad-requests.js';
import type { OrderTarget } from '../support/bad-orders.js';
import { signedUser, staffToken } from '../support/cluster.js';
import { contentsOf, CURRENCY, openShop, place, type Shop } from '../support/orders.js';
import { RawConnection, frame, upgradeRequest } from '../support/raw-connection.js';
import { redeemed, reverse } from '../support/reversals.js';
import { expectAtRest, truthOf } from '../support/truth.js';
import { emOf, openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

const SEED = 20_261_129;
const CASES = 10_000;
const AT_ONCE = 48;
const SOCKETS = 60;
const SLOW_BODIES = 40;

const logged: { level: number; msg?: string }[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
let world: World;
let server: RunningServer;
let target: Target;
beforeAll(async () => {
  world = await openWorld();
  const write = (line: string): void => void logged.push(JSON.parse(line) as (typeof logged)[number]);
  // Lock-outs would answer the rest of the cases before anything looks at them.
  server = await startApi({ LOCKOUT_USER_FAILURES: '0' }, {}, pino({ level: 'warn' }, { write }));
  const tenant = await openShop(world);
  const { codes } = await seedCampaign(world, tenant, 3);
  const other = await seedTenant(world);
  const { campaignId } = await seedCampaign(world, other, 1);
  const foreign = await truthOf(world, other.tenantId);
  const user = await signedUser(world, tenant.tenantId);
  target = {
    tenantId: tenant.tenantId,
    userToken: user.token,
    staffToken: staffToken(world, tenant.tenantId),
    code: codes[0] ?? '',
    orders: await seedOrders(tenant, user.userId, codes[1] ?? ''),
    foreignIds: [campaignId, other.planId, ...foreign.codes.flatMap(({ id, batchId }) => [id, batchId])],
  };
});
afterAll(async () => {
  agent.destroy();
  await server?.stop();
  await world?.close();
});

/** What good requests about orders would name: each of them is refused by the last of its checks. */
async function seedOrders(shop: Shop, userId: string, code: string): Promise<OrderTarget> {
  const { tenantId, facilityId } = shop;
  const { services } = world;
  const soldOut = { name: 'Sold out', unitPrice: '100', unitTime: 'MONTH', inventory: 0 };
  const { id: planId } = await services.plans.create(tenantId, soldOut);
  const { id: orderNo } = await place(world, shop, userId);
  const terms = { name: 'One', kind: 'AMOUNT', currency: CURRENCY, amount: '10', issueLimit: 1 };
  const { id: templateId } = await services.couponTemplates.create(tenantId, terms);
  const { userId: otherUserId } = await signedUser(world, tenantId);
  await services.couponIssues.issue(tenantId, { templateId, userId: otherUserId });
  const { id: redemptionId } = await redeemed(world, tenantId, otherUserId, code);
  await reverse(world, tenantId, redemptionId);
  return { userId, otherUserId, facilityId, planId, orderNo, redemptionId, templateId };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function send({ method = 'POST', path = '/graphql', headers, body }: BadRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(server.address),
      { method, path, headers: { ...headers }, agent },
      (reply) => {
        const parts: Buffer[] = [];
        reply.on('data', (part: Buffer) => parts.push(part));
        reply.on('end', () =>
          resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** What is wrong with an answer to a bad request; null where nothing is. */
function faultOf({ status, body }: Answer): string | null {
  if (status < 200 || status >= 500) return `status ${status}`;
  if (body.includes('INTERNAL_SERVER_ERROR')) return 'a fault of the server';
  if (/"status":"(?:COMMITTED|PROCESSING)"/.test(body)) return 'a redemption';
  if (body.includes('"errors":[]')) return 'something was done';
  // Rows of another tenant are as good as missing.
  return target.foreignIds.some((id) => body.includes(`"id":"${id}"`)) ? 'a row of another tenant' : null;
}

/** All rows that requests could have changed. */
async function written(): Promise<string> {
  const em = emOf(world, target.tenantId);
  const rows = await Promise.all([
    em.find(Campaign, {}),
    em.find(ProductLine, {}, { orderBy: { code: 'asc' } }),
    em.find(RateLimit, {}),
    truthOf(world, target.tenantId),
    contentsOf(world, target),
  ]);
  return JSON.stringify(rows);
}

async function expectUnharmed(before: string): Promise<void> {
  expect(await written()).toBe(before);
  await expectAtRest(world, target.tenantId);
  expect(logged.filter(({ level }) => level >= 50)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  const health = await send({ method: 'GET', path: '/healthz' });
  expect(health.status).toBe(200);
}

it('S4.18 answers 10,000 bad requests of more than 20 classes without a fault, and writes nothing', async () => {
  const before = await written();
  const random = new Random(SEED);
  const classes = Object.entries({ ...BAD_REQUESTS, 'the REST door': badDoorRequest });
  expect(classes.length).toBeGreaterThanOrEqual(20);
  const perClass = Math.ceil(CASES / classes.length);
  // One class after the other: beside attempts to redeem, operations that are refused are answered at a pace.
  const cases = classes.flatMap(([name, make]) =>
    Array.from({ length: perClass }, (_, no) => ({ name, no, bad: make(random.fork(), target) })),
  );
  expect(cases.length).toBeGreaterThanOrEqual(CASES);
  const limit = pLimit(AT_ONCE);
  const found: string[] = [];
  await Promise.all(
    cases.map(async ({ name, no, bad }) =>
      limit(async () => {
        const answer = await send(bad).catch((error: unknown) => ({ status: 0, body: String(error) }));
        const fault = faultOf(answer);
        if (fault !== null) found.push(`${name} ${no}: ${fault}: ${answer.body.slice(0, 200)}`);
      }),
    ),
  );
  expect(found).toEqual([]);
  await expectUnharmed(before);
}, 120_000);

it('S4.18 answers bodies beyond the limit with 413 and the rest as before', async () => {
  const before = await written();
  const random = new Random(SEED);
  for (let at = 0; at < 20; at += 1) {
    const body = 'x'.repeat(262_145 + random.between(0, 200_000));
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${target.userToken}` };
    // A connection that is closed while the rest of the body is sent may say so instead.
    const { status } = await send({ headers, body }).catch(() => ({ status: 413 }));
    expect(status).toBe(413);
  }
  await expectUnharmed(before);
});

it('S4.18 survives bodies that never end and connections that break in them', async () => {
  const before = await written();
  const random = new Random(SEED);
  const head = 'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n';
  const connections = await Promise.all(
    Array.from({ length: SLOW_BODIES }, async () => RawConnection.open(server.address)),
  );
  for (const [at, connection] of connections.entries()) {
    const text = `${head}content-length: ${random.between(100, 5000)}\r\n\r\n{"query":"{`;
    connection.send(at % 2 === 0 ? text : text.slice(0, random.between(1, text.length - 1)));
  }
  expect((await send({ method: 'GET', path: '/healthz' })).status).toBe(200);
  for (const connection of connections) connection.reset();
  await Promise.all(connections.map(async ({ closed }) => closed));
  await expectUnharmed(before);
});

it('S4.18 ends sockets that send abused frames with a code of the protocol, and writes nothing', async () => {
  const before = await written();
  const random = new Random(SEED);
  const abuses: (() => Buffer)[] = [
    () => frame('{"type":"subscribe","id":"1","payload":{"query":"{"}}'),
    () => frame('x'.repeat(random.between(65_537, 90_000))),
    () => frame('{"type":"next","id":"1"}'),
    () => frame(`{"type":"${'z'.repeat(random.between(1, 2000))}"}`),
    () => frame('[1,2]'),
    () => frame('{"type":"connection_init","payload":{"authorization":5}}'),
    () => frame('{"type":"connection_init","payload":{"__proto__":{"polluted":1}}}{'),
    () => Buffer.from(Array.from({ length: random.between(2, 60) }, () => random.between(0, 255))),
    () => Buffer.concat([frame('{"type":"ping"}').subarray(0, 4), Buffer.from([0xff, 0xff, 0xff])]),
  ];
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, async (_, at) => {
      const connection = await RawConnection.open(server.address);
      connection.send(upgradeRequest());
      await connection.answers(/ 101 [^]*\r\n\r\n/);
      connection.send(abuses[at % abuses.length]?.() ?? Buffer.alloc(0));
      return connection;
    }),
  );
  // What waits for more bytes is ended by the time for `connection_init`.
  await Promise.all(sockets.map(async ({ closed }) => closed));
  expect(sockets.filter(({ socket }) => !socket.closed)).toEqual([]);
  await expectUnharmed(before);
});
