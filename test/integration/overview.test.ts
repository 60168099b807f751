import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Account } from '../../src/money/account.entity.js';
import { createLog } from '../../src/platform/observability/log.js';
import { acquireProcessNode } from '../../src/platform/database/process-node.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { ReconciliationRun } from '../../src/reconciliation/reconciliation-run.entity.js';
import { openClaim, reopen } from '../support/open-claim.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { RedisServer } from '../support/redis-server.js';
import { statementsOf } from '../support/statements.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import {
  cursorNow,
  emOf,
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const OVERVIEW = `{ overview {
  asOf redemptions { committed reversed } codes activeCampaigns haltedAccounts deadLetters overdueClaims
  budgets { campaignId name budgetUses usedUses budgetValue usedValue percentage }
  batchesUnderWay { batchId campaignId campaignName status requested generated }
  consumers { consumer waiting since }
  reconciliation { verdict drifts repair startedAt finishedAt }
  stores { store isUp answeredInMs version }
  processes { role version startedAt seenAt isAlive } } }`;

async function overviewOf(tenantId: string, asked = OVERVIEW, of = api): Promise<Record<string, unknown>> {
  const { data, errors } = await of.ask(staffOf(tenantId, 'AUDITOR'), asked);
  expect(errors).toEqual([]);
  return data['overview'] ?? {};
}

/** Three redemptions, one of them reversed, and a second campaign whose budget is used up to four fifths. */
async function busyTenant() {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const plain = await seedCampaign(world, tenant, 3);
  const limited = await seedCampaign(world, tenant, 5, {
    campaign: { name: 'Nearly spent', budgetUses: 5, budgetValue: '100' },
    rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, value: '12.5' }] },
  });
  const far = await seedCampaign(world, tenant, 5, { campaign: { budgetUses: 5 } });
  const users = await seedUsers(world, tenantId, 4);
  const spend = async (codes: readonly string[], count: number) => {
    const answers = [];
    for (const [at, userId] of users.slice(0, count).entries())
      answers.push(await redeem(world, tenantId, userId, codes[at] ?? ''));
    return answers;
  };
  const [first] = await spend(plain.codes, 2);
  await spend(limited.codes, 4);
  await spend(far.codes, 3);
  await world.services.reversals.reverse(tenantId, 'eve', {
    redemptionId: first?.redemption?.id ?? '',
    reason: 'A test',
  });
  return { tenant, tenantId, limited, users };
}

describe('the overview', () => {
  it('shows what is deleted once it is old, of all features', async () => {
    const { tenantId } = await seedTenant(world);
    const { keptData } = await overviewOf(tenantId, '{ overview { keptData { what days } } }');
    expect(keptData).toEqual([
      { what: 'Events', days: 7 },
      { what: 'Expired sessions', days: 30 },
      { what: 'Files of stopped imports', days: 7 },
      { what: 'Tombstones of aborted claims', days: 30 },
      { what: 'Refused attempts', days: 30 },
      { what: 'Redemptions of each minute', days: 2 },
      { what: 'Redemptions of each hour', days: 400 },
      { what: 'Finished webhook deliveries', days: 30 },
    ]);
  });

  it('shows the counts of the tenant and of no other', async () => {
    const { tenantId, limited } = await busyTenant();
    await busyTenant();
    expect(await overviewOf(tenantId)).toMatchObject({
      redemptions: { committed: 8, reversed: 1 },
      codes: 13,
      activeCampaigns: 3,
      haltedAccounts: 0,
      deadLetters: 0,
      overdueClaims: 0,
      budgets: [
        {
          campaignId: limited.campaignId,
          name: 'Nearly spent',
          budgetUses: 5,
          usedUses: 4,
          budgetValue: '100',
          usedValue: '50',
          percentage: 80,
        },
      ],
      batchesUnderWay: [],
      reconciliation: null,
    });
  });

  it('shows batches under way, halted accounts, and claims past their deadline', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId, codes } = await seedCampaign(world, tenant, 1);
    const { batch } = await world.services.generation.generate(tenantId, { campaignId, count: 20_000 });
    const [userId = ''] = await seedUsers(world, tenantId, 1);
    await reopen(world, await openClaim(world, tenant, codes[0] ?? '', userId));
    await haltAccount(tenant, userId);
    expect(await overviewOf(tenantId)).toMatchObject({
      batchesUnderWay: [
        {
          batchId: batch.id,
          campaignId,
          campaignName: 'Test campaign',
          status: 'PENDING',
          requested: 20_000,
          generated: 0,
        },
      ],
      haltedAccounts: 1,
      overdueClaims: 1,
    });
  });

  it('shows how far each consumer of events is behind', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const names = world.services.consumers.map(({ name }) => name);
    const none = names.map((consumer) => ({ consumer, waiting: 0, since: null }));
    expect(await overviewOf(tenantId)).toMatchObject({ consumers: none });
    await seedCampaign(world, tenant, 1);
    const last = Number(await cursorNow(world, tenantId));
    await systemEm(world.stores.orm).execute(
      'insert into event_consumer (tenant_id, consumer, seq) values (?, ?, ?)',
      [tenantId, names[0], last - 1],
    );
    const { consumers } = (await overviewOf(tenantId)) as { consumers: Record<string, unknown>[] };
    expect(consumers.map(({ waiting }) => waiting)).toEqual([1, ...names.slice(1).map(() => last)]);
    expect(consumers.every(({ since }) => typeof since === 'string')).toBe(true);
  });

  it('shows the last report of reconciliation, whichever process made it, and makes none', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const other = await openWorld();
    try {
      expect((await overviewOf(tenantId))['reconciliation']).toBeNull();
      expect(await emOf(world, tenantId).count(ReconciliationRun, {})).toBe(0);
      await other.services.reports.latest(tenantId);
      await expect
        .poll(async () => (await overviewOf(tenantId))['reconciliation'])
        .toMatchObject({ verdict: 'CLEAN', drifts: 0, repair: false });
      await overviewOf(tenantId);
      expect(await emOf(world, tenantId).count(ReconciliationRun, {})).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('reads only what is asked for', async () => {
    const { tenantId } = await seedTenant(world);
    const sent = await statementsOf(world.stores.readOrm, async () =>
      overviewOf(tenantId, '{ overview { ...part } } fragment part on Overview { asOf codes }'),
    );
    expect(sent.map(({ query }) => query)).toEqual([expect.stringContaining('code_total')]);
  });

  it('shows processes as long as they say that they run', async () => {
    const { tenantId } = await seedTenant(world);
    const { orm } = world.stores;
    const log = createLog({ level: 'silent' });
    const node = await acquireProcessNode(orm, log, { shown: { role: 'worker', version: '9.8.7' } });
    const seen = async () => {
      const { processes } = (await overviewOf(tenantId)) as { processes: Record<string, unknown>[] };
      return processes.filter(({ version }) => version === '9.8.7');
    };
    expect(await seen()).toMatchObject([{ role: 'worker', isAlive: true }]);
    await systemEm(orm).execute(
      'update process_node set seen_at = seen_at - interval 2 minute where node_no = ?',
      [node.lease().nodeNo],
    );
    expect(await seen()).toMatchObject([{ role: 'worker', isAlive: false }]);
    await node.release();
    expect(await seen()).toEqual([]);
  });
});

async function haltAccount({ tenantId }: SeededTenant, userId: string): Promise<void> {
  const { currencies, facilities, accounts } = world.services;
  await currencies.create(tenantId, { code: 'USD', name: 'Dollar', scale: 2 });
  const { id: facilityId } = await facilities.create(tenantId, { name: 'Shop' });
  const change = { userId, facilityId, currency: 'USD', amount: '9', orderId: 'a', remark: 'A test' };
  await accounts.adjust(tenantId, 'eve', change);
  await emOf(world, tenantId).nativeUpdate(Account, {}, { haltedAt: new Date(1) });
}

describe('the overview in an outage', () => {
  const STORES = '{ overview { codes overdueClaims deadLetters stores { store isUp } } }';

  it('shows what the database knows while Redis is away, and says that it is away', async () => {
    const redis = await RedisServer.start();
    const cut = await openWorld({ STORE_TIMEOUT_MS: '1000' }, { redisUrl: redis.url });
    try {
      const { tenantId } = await seedTenant(world);
      const of = new ProductApi(cut);
      await redis.kill();
      expect(await overviewOf(tenantId, STORES, of)).toEqual({
        codes: 0,
        overdueClaims: null,
        deadLetters: null,
        stores: [
          { store: 'DATABASE', isUp: true },
          { store: 'REDIS', isUp: false },
        ],
      });
    } finally {
      await cut.close();
      await redis.close();
    }
  });

  it('shows what Redis knows while the database is away', async () => {
    const url = new URL(inject('databaseUrl'));
    const forwarder = await TcpForwarder.start(Number(url.port));
    url.port = String(forwarder.port);
    const cut = await openWorld({ STORE_TIMEOUT_MS: '1000' }, { databaseUrl: url.href });
    try {
      const { tenantId } = await seedTenant(world);
      const of = new ProductApi(cut);
      await forwarder.close();
      expect(await overviewOf(tenantId, STORES, of)).toEqual({
        codes: null,
        overdueClaims: 0,
        deadLetters: 0,
        stores: [
          { store: 'DATABASE', isUp: false },
          { store: 'REDIS', isUp: true },
        ],
      });
    } finally {
      await cut.close();
    }
  });
});
