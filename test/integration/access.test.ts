import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { guardOperations } from '../../src/transport/admission.js';
import { STATUS_TTL_MS } from '../../src/identity/access.service.js';
import type { Actor } from '../../src/graphql/actor.js';
import { present } from '../../src/platform/assert.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { RunningServer } from '../../src/app/server.js';
import { startApi } from '../support/api-server.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { expectWithin } from '../support/lag.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { rootFields } from '../support/root-fields.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  tally,
  type SeededTenant,
  type World,
} from '../support/world.js';

/** What a status may take to count everywhere. */
const EFFECTIVE_MS = 1000;
const PROBE = `P${randomBytes(6).toString('hex').toUpperCase()}`;

let world: World;
let server: RunningServer;
let tenant: SeededTenant;
let codes: readonly string[];

openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(startApi());
  tenant = await seedTenant(world);
  ({ codes } = await seedCampaign(world, tenant, 20));
});

const tokenOf = (actor: Actor): string => world.services.tokens.sign(actor, 900);
const user = (tenantId: string, userId: string): Actor => ({ kind: 'USER', tenantId, userId });
const owner = (tenantId: string): Actor => ({ kind: 'STAFF', tenantId, staffId: 's1', role: 'OWNER' });
const node = (tenantId: string, nodeId: string): Actor => ({ kind: 'NODE', tenantId, nodeId });

async function seedNode(tenantId: string): Promise<string> {
  return (await world.services.nodes.create(tenantId, { name: 'N', address: 'n.example' })).id;
}

/** By hand, for the same reason as {@link setStatus}. */
async function deleteNode(tenantId: string, nodeId: string): Promise<void> {
  const sql = 'delete from subscription_node where tenant_id = ? and id = ?';
  await systemEm(world.stores.orm).execute(sql, [tenantId, nodeId]);
}

/** By hand, not through a service of this process: every process has to find out from the database. */
async function setStatus(table: 'tenant' | 'user', id: string, status: string): Promise<void> {
  const em = systemEm(world.stores.orm);
  if (table === 'tenant') {
    await em.execute('update tenant set status = ? where id = ?', [status, id]);
    return;
  }
  // By its whole key: a scan would wait for rows that other tests hold.
  const [row] = await em.execute<{ tenant_id: string }[]>('select tenant_id from user where id = ?', [id]);
  await em.execute('update user set status = ? where tenant_id = ? and id = ?', [status, row?.tenant_id, id]);
}

/** All that is stored of a tenant: rows by table, and the names of its keys. */
async function stored(tenantId: string): Promise<unknown> {
  const em = systemEm(world.stores.orm);
  const tables = await em.execute<{ name: string }[]>(
    `select table_name as name from information_schema.columns
     where table_schema = database() and column_name = 'tenant_id' order by table_name`,
  );
  const counts = tables.map(
    ({ name }) => `select '${name}' as name, count(*) as n from \`${name}\` where tenant_id = ?`,
  );
  const rows = await em.execute(
    counts.join(' union all '),
    tables.map(() => tenantId),
  );
  const probes = await em.execute('select id from tenant where id = ?', [PROBE]);
  const keys = await world.stores.redis.keys(`{${tenantId}}:*`);
  return { rows, probes, keys: keys.filter((key) => !key.includes(':code:')).toSorted() };
}

describe('every operation of the schema', () => {
  const fields = rootFields(buildRedeemkitSchema(), PROBE);

  async function callers(): Promise<Record<string, { tenantId: string; refusal: string; token: string }>> {
    const off = await seedTenant(world);
    const offUser = await seedUser(world, off.tenantId);
    const offNode = await seedNode(off.tenantId);
    await seedCampaign(world, off, 2);
    await setStatus('tenant', off.tenantId, 'DISABLED');
    const disabled = await seedUser(world, tenant.tenantId);
    await setStatus('user', disabled, 'DISABLED');
    const deletedNode = await seedNode(tenant.tenantId);
    await deleteNode(tenant.tenantId, deletedNode);
    const unknownTenant = `NOPE_${PROBE}`;
    const unknownUser = world.services.ids.next();
    const of = (actor: Actor, refusal: string) => ({
      tenantId: actor.tenantId,
      refusal,
      token: tokenOf(actor),
    });
    return {
      "a disabled tenant's staff": of(owner(off.tenantId), 'TENANT_NOT_ACTIVE'),
      "a disabled tenant's user": of(user(off.tenantId, offUser), 'TENANT_NOT_ACTIVE'),
      'a disabled user': of(user(tenant.tenantId, disabled), 'USER_DISABLED'),
      'a user without a row': of(user(tenant.tenantId, unknownUser), 'USER_DISABLED'),
      'the staff of a tenant without a row': of(owner(unknownTenant), 'TENANT_NOT_ACTIVE'),
      'a user of a tenant without a row': of(user(unknownTenant, unknownUser), 'TENANT_NOT_ACTIVE'),
      "a disabled tenant's node": of(node(off.tenantId, offNode), 'TENANT_NOT_ACTIVE'),
      'a deleted node': of(node(tenant.tenantId, deletedNode), 'NODE_NOT_FOUND'),
    };
  }

  it('knows all kinds of operations', () => {
    expect(new Set(fields.map(({ kind }) => kind))).toEqual(new Set(['query', 'mutation', 'subscription']));
    expect(fields.length).toBeGreaterThan(35);
  });

  it('refuses callers who are disabled, deleted or do not exist, over HTTP and WebSocket, and writes nothing', async () => {
    for (const [name, { tenantId, refusal, token }] of Object.entries(await callers())) {
      const before = await stored(tenantId);
      for (const { kind, name: field, document } of fields) {
        if (kind === 'subscription') continue;
        const headers = { 'x-product-code': 'DEMO', 'x-device-id': 'd1' };
        const answer = await graphqlRequest(server.address, { query: document, token, headers });
        // Staff of any role redeem nothing, nor do nodes.
        const isForUsers = field === 'redeemCode' || field === 'previewRedemption';
        const expected = isForUsers && /staff|node/.test(name) ? 'FORBIDDEN' : refusal;
        expect([name, field, refusalIn(answer, field)]).toEqual([name, field, expected]);
      }
      const socket = graphqlSubscribe(server.address, { query: 'subscription { x }', token });
      await expect(socket).rejects.toThrow('4403');
      expect([name, await stored(tenantId)]).toEqual([name, before]);
    }
  });

  it.each(['user', 'tenant'] as const)(
    'ends the sockets of a disabled %s within a second, on every process, and they get no event any more',
    async (table) => {
      const own = await seedTenant(world);
      const [userId, other] = [await seedUser(world, own.tenantId), await seedUser(world, own.tenantId)];
      const listen = async (token: string) =>
        graphqlSubscribe(server.address, { query: 'subscription { redemptionSettled { userId } }', token });
      const [mine, others] = [
        await listen(tokenOf(user(own.tenantId, userId))),
        await listen(tokenOf(user(own.tenantId, other))),
      ];
      const endOf = async ({ next }: { next(): Promise<unknown> }) => next().then(JSON.stringify, String);
      const [mineEnd, othersEnd] = [endOf(mine), endOf(others)];
      await setStatus(table, table === 'user' ? userId : own.tenantId, 'DISABLED');
      await expectWithin(world, EFFECTIVE_MS, async () => {
        const ends = await Promise.all(table === 'tenant' ? [mineEnd, othersEnd] : [mineEnd]);
        for (const end of ends) expect(end).toContain('closed: 4403');
      });
      const othersState = await Promise.race([othersEnd, pause(EFFECTIVE_MS, 'open')]);
      expect(othersState).toContain(table === 'tenant' ? 'closed: 4403' : 'open');
      await others.close();
    },
  );

  it('ends the sockets of a deleted node within a second, on every process, and takes its token no longer', async () => {
    const { tenantId } = await seedTenant(world);
    const listen = async () => {
      const nodeId = await seedNode(tenantId);
      const token = tokenOf(node(tenantId, nodeId));
      const query = 'subscription { subscriptionInvalidated { subscriptionId } }';
      const { next } = await graphqlSubscribe(server.address, { query, token });
      return { nodeId, token, end: next().then(JSON.stringify, String) };
    };
    const [deleted, other] = [await listen(), await listen()];
    await deleteNode(tenantId, deleted.nodeId);
    await expectWithin(world, EFFECTIVE_MS, async () => expect(await deleted.end).toContain('closed: 4403'));
    const query = 'subscription { nodesChanged { eventId } }';
    await expect(graphqlSubscribe(server.address, { query, token: deleted.token })).rejects.toThrow('4403');
    expect(await Promise.race([other.end, pause(EFFECTIVE_MS, 'open')])).toBe('open');
    // In the process that deletes it, at once.
    const { access, nodes } = world.services;
    expect(await access.refusalOf({ tenantId, nodeId: other.nodeId })).toBeNull();
    await nodes.delete(tenantId, other.nodeId);
    expect(await access.refusalOf({ tenantId, nodeId: other.nodeId })).toBe('NODE_NOT_FOUND');
    expect(await other.end).toContain('closed: 4403');
  });

  it('guards each event: one that comes before its socket is ended holds no data', async () => {
    const schema = buildRedeemkitSchema();
    guardOperations(schema);
    for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
      const access = { refusalOf: async () => 'USER_DISABLED' as const };
      const context = { actor: user(tenant.tenantId, '1'), access };
      const resolve = present(field.resolve, 'The resolver');
      await expect(resolve({}, {}, context, {} as never)).rejects.toThrow('disabled');
    }
  });
});

/** The one reason in an answer: in the payload where the operation has a code for it, else at the top. */
function refusalIn(
  answer: { data?: Record<string, unknown> | null; errors?: readonly { extensions: { code: string } }[] },
  field: string,
): string | undefined {
  const payload = answer.data?.[field] as { errors?: { code: string }[] } | null | undefined;
  if (payload !== null && payload !== undefined) return payload.errors?.map(({ code }) => code).join();
  return answer.errors?.map(({ extensions }) => extensions.code).join();
}

describe('a redemption', () => {
  const answers = async (token: string, code: string) => {
    const { data } = await graphqlRequest<{ redeemCode: { errors: { code: string }[] } }>(server.address, {
      query: `mutation { redeemCode(input: {code: "${code}"}) { status errors { code } } }`,
      headers: { 'x-product-code': 'DEMO' },
      token,
    });
    return data?.redeemCode;
  };

  it('of a disabled user is refused 100 times before the claim: no tombstone, and the code stays free', async () => {
    const { tenantId } = tenant;
    const [userId, other] = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
    await setStatus('user', userId, 'DISABLED');
    const before = await stored(tenantId);
    const [code = ''] = codes;
    const token = tokenOf(user(tenantId, userId));
    const refusals: unknown[] = [];
    // A few at a time: a redemption waits 250 ms for the status, which a hundred at once can make a busy machine exceed.
    for (let asked = 0; asked < 100; asked += 5)
      refusals.push(...(await Promise.all(Array.from({ length: 5 }, async () => answers(token, code)))));
    const refused = { status: 'REFUSED', errors: [{ code: 'USER_DISABLED' }] };
    expect(refusals).toEqual(Array.from({ length: 100 }, () => refused));
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('USER_DISABLED');
    expect(await stored(tenantId)).toEqual(before);
    expect(outcomeOf(await redeem(world, tenantId, other, code))).toBe('COMMITTED');
  });

  it.each(['user', 'tenant'] as const)(
    'of a disabled %s is refused by the commit when the status is not known in time: nothing committed, no use lost',
    async (table) => {
      const own = await seedTenant(world);
      const { tenantId } = own;
      const [code = ''] = (await seedCampaign(world, own, 1)).codes;
      const [userId, other] = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
      await setStatus(table, table === 'user' ? userId : tenantId, 'DISABLED');
      const refusal = table === 'user' ? 'USER_DISABLED' : 'TENANT_NOT_ACTIVE';
      const { access } = world.services;
      const refusalOf = access.refusalOf.bind(access);
      const isTried = Promise.withResolvers<undefined>();
      const slow = vi.spyOn(access, 'refusalOf').mockImplementation(async (subject) => {
        await isTried.promise;
        return refusalOf(subject);
      });
      const tries = await Promise.all(
        Array.from({ length: 3 }, async () => redeem(world, tenantId, userId, code)),
      );
      slow.mockRestore();
      isTried.resolve(undefined);
      expect(tally(tries)).toEqual({ [refusal]: 3 });
      const { tombstones, ...facts } = await factsOf(world, tenantId);
      const { tombstones: _none, ...nothing } = factsAfter(0);
      expect(facts).toEqual(nothing);
      expect(tombstones).toBeGreaterThan(0);
      expect(await openClaims(world, tenantId)).toBe(0);
      await setStatus('tenant', tenantId, 'ACTIVE');
      const redeemed = async () => outcomeOf(await redeem(world, tenantId, other, code));
      await expect.poll(redeemed).toBe('COMMITTED');
    },
  );

  it('goes by a status that was changed elsewhere within a second', async () => {
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    const token = tokenOf(user(tenantId, userId));
    expect(await answers(token, 'NO-SUCH-CODE-2222')).toMatchObject({ status: 'REFUSED' });
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[1] ?? ''))).toBe('COMMITTED');
    for (const [status, outcome] of [
      ['DISABLED', 'USER_DISABLED'],
      ['ACTIVE', 'ALREADY_REDEEMED'],
    ] as const) {
      await setStatus('user', userId, status);
      const seen = async () => (await answers(token, codes[1] ?? ''))?.errors[0]?.code;
      await expectWithin(world, EFFECTIVE_MS, async () => expect.poll(seen, { interval: 20 }).toBe(outcome));
    }
  });

  /** What refusals of earlier tests have left to be written, which is written at some moment otherwise. */
  const written = async (): Promise<void> => {
    await world.services.attemptLog.flush();
    await world.services.refusalCounter.flush();
  };

  it('at unknown product lines reads one list a second, and is limited, while known lines are served', async () => {
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    await written();
    const reads = vi.spyOn(world.stores.orm.em.getConnection(), 'execute');
    const startMs = performance.now();
    const attempts = await Promise.all(
      Array.from({ length: 1000 }, async (_, at) =>
        redeem(world, tenantId, userId, codes[2] ?? '', { productCode: `NO_${at}` }),
      ),
    );
    const periods = Math.ceil((performance.now() - startMs) / STATUS_TTL_MS);
    expect(tally(attempts)).toEqual({ PRODUCT_UNKNOWN: 60, RATE_LIMITED: 940 });
    const limited = attempts.find(({ refusal }) => refusal?.code === 'RATE_LIMITED');
    expect(limited?.refusal?.retryAfterMs).toBeGreaterThan(3_500_000);
    // The tenant's and the user's status, and the tenant's lines.
    expect(reads.mock.calls.length).toBeLessThanOrEqual(2 * periods + 2);
    reads.mockRestore();
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[2] ?? ''))).toBe('COMMITTED');
  });

  it('reads a status once in a while, and those of many users together', async () => {
    const { tenantId } = tenant;
    const [userId, ...crowd] = await Promise.all(
      Array.from({ length: 65 }, async () => seedUser(world, tenantId)),
    );
    await written();
    const reads = vi.spyOn(world.stores.orm.em.getConnection(), 'execute');
    const statusReads = (): number =>
      reads.mock.calls.filter(([query]) => /from (?:tenant|user) /.test(query)).length;
    const startMs = performance.now();
    for (let tries = 0; tries < 50; tries += 1) await redeem(world, tenantId, userId ?? '', 'NO');
    const periods = Math.ceil((performance.now() - startMs) / STATUS_TTL_MS);
    expect(statusReads()).toBeGreaterThan(0);
    // The tenant each time, the user once.
    expect(statusReads()).toBeLessThanOrEqual(periods + 1);
    reads.mockClear();
    const crowdMs = performance.now();
    await Promise.all(crowd.map(async (each) => redeem(world, tenantId, each, 'NO')));
    const more = Math.floor((performance.now() - crowdMs) / STATUS_TTL_MS);
    expect(statusReads()).toBeLessThanOrEqual(4 + more);
    reads.mockRestore();
  });
});
