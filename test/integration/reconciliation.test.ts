import { describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import type { Reconciler } from '../../src/reconciliation/reconciler.js';
import { ReconciliationRun } from '../../src/reconciliation/reconciliation-run.entity.js';
import { ReconciliationRuns } from '../../src/reconciliation/reconciliation-runs.service.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { counted } from '../support/staff-world.js';
import { driftsOf, makeScene, reconcilerOf, type Scene } from '../support/reconciliation.js';
import { emOf, openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
let world: World;
openBeforeAll(async (closing) => {
  // Workers take the runs of all tenants, also those that another test has asked for.
  database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
});

const look = async ({ tenantId }: Scene) => reconcilerOf(world).reconciler.run({ tenantId });

describe('X.2 the reconciliation', () => {
  it('finds nothing in a tenant at rest, and says what it looked at', async () => {
    const report = await look(await makeScene(world));
    expect(driftsOf(report)).toEqual({});
    expect(report.verdict).toBe('CLEAN');
    const verdicts = report.invariants.map(({ invariant, verdict }) => `${invariant} ${verdict}`);
    expect(verdicts).toEqual([
      'I1 HOLDS',
      'I2 HOLDS',
      'I3 HOLDS',
      'I4 HOLDS',
      'I5 HOLDS',
      'I6 HOLDS',
      'I7 HOLDS',
      'I8 HOLDS',
      'I9 HOLDS',
    ]);
    expect(report.looked['markers']).toBeGreaterThanOrEqual(4);
    expect(report.looked).toMatchObject({
      codes: 5,
      redemptions: 4,
      orders: 4,
      grants: 4,
      copies: 4,
    });
  });

  it('does not take a limit that was lowered later for one that was broken', async () => {
    const scene = await makeScene(world);
    const { tenantId, limited } = scene;
    await scene.sql(`update redemption set settled_at = settled_at + interval 5 second where tenant_id = ?`, [
      tenantId,
    ]);
    await world.services.campaignChanges.update(tenantId, limited.campaignId, {
      userLimitTotal: 1,
      userLimitDay: 1,
      budgetUses: 1,
      budgetValue: '1',
    });
    expect(driftsOf(await look(scene))).toEqual({});
  });

  it('judges deleted codes, voided batches and unlimited codes as they are', async () => {
    const scene = await makeScene(world);
    const { tenantId, codes, limited } = scene;
    await world.services.codeChanges.delete(tenantId, [codes[0].id]);
    await world.services.codeChanges.update(tenantId, codes[1].id, { useLimit: 0 });
    const [row] = await world.stores.redis.keys(scene.key('open'));
    expect(row).toBeUndefined();
    await world.services.batchChanges.void(tenantId, limited.batchId);
    expect(driftsOf(await look(scene))).toEqual({});
  });

  it('looks at every counter, page by page, where three numbers make its key', async () => {
    const scene = await makeScene(world);
    const { tenantId, limited } = scene;
    const counters = Array.from({ length: 2400 }, (_, n) => [1 + Math.floor(n / 3), n % 3]);
    await scene.sql(
      'insert into campaign_usage (tenant_id, campaign_id, user_id, day, uses, value) values ?',
      [counters.map((counter) => [tenantId, limited.campaignId, ...counter, 0, 0])],
    );
    const report = await look(scene);
    expect(report.looked).toMatchObject({ usageCounters: 2402 });
    expect(driftsOf(report)).toEqual({});
    await scene.sql(
      'update campaign_usage set uses = 1 where tenant_id = ? and user_id in (1, 400, 800) and day = 1',
      [tenantId],
    );
    expect(driftsOf(await look(scene))).toEqual({ CAMPAIGN_USAGE_DIFFERS: 3 });
  });

  it('looks at every code of a large tenant, page by page, and counts each drift of many pages', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 6000);
    const report = async () => reconcilerOf(world).reconciler.run({ tenantId });
    expect(await report()).toMatchObject({ verdict: 'CLEAN', looked: { codes: 6000 } });

    const em = emOf(world, tenantId);
    const last = await em.findOneOrFail(Code, {}, { orderBy: { id: 'desc' } });
    await em.nativeUpdate(Code, { id: last.id }, { used: 1 });
    expect(driftsOf(await report())).toMatchObject({ USED_DIFFERS: 1 });
    // More than are remembered until the second look.
    await em.nativeUpdate(Code, {}, { used: 1 });
    expect(driftsOf(await report())).toMatchObject({ USED_DIFFERS: 6000 });
  });
});

describe('a reconciliation that staff ask for', () => {
  const START = `mutation ($input: StartReconciliationInput!) { startReconciliation(input: $input) {
    run { id status repair requestedBy progress verdict } errors { code } } }`;
  const RUNS = `{ reconciliationRuns { total items { id status progress repair verdict drifts startedAt finishedAt
    report { verdict startedAt invariants { invariant verdict } checks { kind count } } } } }`;
  const start = async (tenantId: string, repair = false) =>
    (await new ProductApi(world).ask(staffOf(tenantId), START, { input: { repair } })).data[
      'startReconciliation'
    ];
  const runs = async (tenantId: string) => {
    const { data, errors } = await new ProductApi(world).ask(staffOf(tenantId, 'AUDITOR'), RUNS);
    expect(errors).toEqual([]);
    return data['reconciliationRuns'] as { total: number; items: Record<string, unknown>[] };
  };

  it('is made once by workers of any process, one at a time for a tenant, and shows its report', async () => {
    const scene = await makeScene(world);
    const { tenantId } = scene;
    const asked = await Promise.all(Array.from({ length: 8 }, async () => start(tenantId)));
    const refusals = asked.map((each) => refusalIn(each) ?? 'STARTED');
    expect(counted(refusals)).toEqual({ STARTED: 1, RECONCILIATION_UNDER_WAY: 7 });
    expect(asked.find((each) => refusalIn(each) === undefined)).toMatchObject({
      run: { status: 'WAITING', repair: false, requestedBy: 'eve', progress: 0, verdict: null },
    });
    const other = await openWorld({}, database);
    const works = [world, other].map(({ services }) => services.reconciliationRuns);
    const done = async () => {
      await Promise.all(works.map(async (each) => each.work()));
      return runs(tenantId);
    };
    await expect.poll(done).toMatchObject({ total: 1, items: [{ status: 'DONE' }] });
    const [run] = (await runs(tenantId)).items;
    expect(run).toMatchObject({ progress: 100, verdict: 'CLEAN', drifts: 0, report: { verdict: 'CLEAN' } });
    expect(JSON.stringify(run)).toContain('I9');
    // A report that was made for a look is none that staff have asked for.
    await world.services.reportArchive.keep(tenantId, await world.services.reconciler.run({ tenantId }));
    expect((await runs(tenantId)).total).toBe(1);
    // The next one may be asked for, and a stranger sees none of it.
    expect(refusalIn(await start(tenantId))).toBeUndefined();
    expect(await runs((await seedTenant(world)).tenantId)).toEqual({ total: 0, items: [] });
    await other.close();
  });

  it('is taken by one of twelve workers that look at once', async () => {
    const { tenantId } = await makeScene(world);
    const report = await world.services.reconciler.run({ tenantId });
    let made = 0;
    const run = async ({ tenantId: of }: Parameters<Reconciler['run']>[0]) => {
      if (of === tenantId) made += 1;
      return Promise.resolve(report);
    };
    const other = await openWorld({}, database);
    const workers = Array.from({ length: 12 }, (_, at) => {
      const { services, stores } = at % 2 === 0 ? world : other;
      return new ReconciliationRuns({ ...services, ...stores, reconciler: { run } });
    });
    for (let round = 1; round <= 3; round += 1) {
      await start(tenantId);
      await Promise.all(workers.map(async (each) => each.work()));
      expect([made, (await runs(tenantId)).total]).toEqual([round, round]);
    }
    await other.close();
  });

  it('corrects what Redis holds where it is to, and says what is left', async () => {
    const scene = await makeScene(world);
    const { tenantId, codes } = scene;
    await scene.sql('update code set version = version + 7 where tenant_id = ? and id = ?', [
      tenantId,
      codes[0].id,
    ]);
    await start(tenantId, true);
    const done = async () => {
      await world.services.reconciliationRuns.work();
      return (await runs(tenantId)).items;
    };
    await expect
      .poll(done, { timeout: 20_000 })
      .toMatchObject([{ status: 'DONE', repair: true, verdict: 'CLEAN' }]);
    expect(driftsOf(await look(scene))).toEqual({});
  });

  it('that fails is kept among the last twenty, and the next one may be asked for', async () => {
    const { tenantId } = await makeScene(world);
    const failing = new ReconciliationRuns({
      ...world.services,
      ...world.stores,
      reconciler: {
        run: async (scope) =>
          scope.tenantId === tenantId
            ? Promise.reject(new Error('It cannot read.'))
            : world.services.reconciler.run(scope),
      },
    });
    for (let at = 0; at < 23; at += 1) {
      expect(refusalIn(await start(tenantId))).toBeUndefined();
      const newest = async () => {
        await failing.work();
        return (await runs(tenantId)).items[0];
      };
      await expect.poll(newest).toMatchObject({ status: 'FAILED', verdict: null, report: null });
    }
    expect((await runs(tenantId)).total).toBe(20);
  });

  it('is taken over from a worker that is silent, whose result counts no more, and given back by one that stops', async () => {
    const { tenantId } = await makeScene(world);
    await start(tenantId);
    const stored = async () =>
      emOf(world, tenantId).findOneOrFail(ReconciliationRun, { openSlot: 1 }, { disableIdentityMap: true });
    const report = await world.services.reconciler.run({ tenantId });
    const stopping = new AbortController();
    const made = (run: Reconciler['run']) =>
      new ReconciliationRuns({ ...world.services, ...world.stores, reconciler: { run } });
    const stops = made(async ({ tenantId: of, signal }) => {
      if (of === tenantId) stopping.abort();
      signal?.throwIfAborted();
      return report;
    });
    await stops.work(stopping.signal);
    expect(await stored()).toMatchObject({ status: 'WAITING', startedAt: expect.any(Date) as Date });
    const silent = made(async ({ tenantId: of }) => {
      if (of !== tenantId) return report;
      await emOf(world, tenantId).nativeUpdate(
        ReconciliationRun,
        { openSlot: 1 },
        { aliveAt: new Date(world.services.clock.nowMs() - 120_000) },
      );
      await world.services.reconciliationRuns.work();
      throw new Error('Of no effect any more.');
    });
    const ended = async () => {
      await silent.work();
      return (await runs(tenantId)).items;
    };
    await expect.poll(ended).toMatchObject([{ status: 'DONE', verdict: 'CLEAN' }]);
  });
});
