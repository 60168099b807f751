import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, signedUsers, staffToken, type Cluster } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { driftsOf } from '../support/reconciliation.js';
import { redeemAll, tallyOf, type Redeemed, type RedeemWish } from '../support/redeemers.js';
import { expectExactly, expectPublished } from '../support/truth.js';
import { emOf, seedCampaign, seedTenant, type SeededTenant } from '../support/world.js';

/** Many more than it takes: with none of them met the test fails. */
const WAVES_MAX = 10;

let cluster: Cluster;
beforeAll(async () => {
  // On a busy machine a commit may well take longer than a caller of the product waits.
  cluster = await startCluster({ environment: { REPLY_WITHIN_MS: '60000' } });
});
afterAll(async () => cluster?.close());

/** Fresh users and codes: all users ask for the shared code, half of them for a private one too, and many click twice. */
async function wishesOf(tenant: SeededTenant, wave: number): Promise<RedeemWish[]> {
  const { world } = cluster;
  const limits = { userLimitTotal: 3, budgetUses: 1000 };
  const shared = await seedCampaign(world, tenant, 1, { rule: { useLimit: 400 } });
  const single = await seedCampaign(world, tenant, 300, { campaign: limits });
  const users = await signedUsers(world, tenant.tenantId, 600);
  return users.flatMap((user, at): RedeemWish[] => {
    const own = single.codes[at];
    const wish = { user, code: shared.codes[0] ?? '', key: `s${wave}-${at}` };
    return own === undefined ? [wish] : [wish, { user, code: own, key: `o${wave}-${at}` }, wish];
  });
}

/** Reconciles repeatedly while users redeem, until at least two reconciliations ran during redemptions. */
async function race(repair: boolean) {
  const tenant = await seedTenant(cluster.world);
  const { tenantId } = tenant;
  const found: Record<string, number>[] = [];
  const result: Redeemed[] = [];
  const done = new AbortController();
  const reconciling = (async () => {
    while (!done.signal.aborted)
      found.push(driftsOf(await cluster.world.services.reconciler.run({ tenantId, repair })));
  })();
  let waves = 0;
  try {
    for (; waves === 0 || (found.length < 2 && waves < WAVES_MAX); waves += 1)
      result.push(...(await redeemAll(cluster.urls, await wishesOf(tenant, waves))));
  } finally {
    done.abort();
    await reconciling;
  }
  return { tenant, result, found, waves };
}

describe('X.2 reconciling while two processes redeem', () => {
  it.each([false, true])(
    'raises no false alarm and loses nothing (repair: %s)',
    async (repair) => {
      const { tenant, result, found, waves } = await race(repair);
      expect(found.length).toBeGreaterThan(1);
      expect(found).toEqual(found.map(() => ({})));
      const tally = tallyOf(result);
      expect(tally['CODE_EXHAUSTED']).toBeGreaterThanOrEqual(200 * waves);
      expect(Object.keys(tally).toSorted()).toEqual(['CODE_EXHAUSTED', 'COMMITTED']);
      await expectPublished(cluster.world, tenant.tenantId);
      await expectExactly(cluster.world, tenant.tenantId, 700 * waves, result);
      const { tenantId } = tenant;
      const report = await cluster.world.services.reconciler.run({ tenantId });
      expect([report.verdict, driftsOf(report)]).toEqual(['CLEAN', {}]);
    },
    300_000,
  );
});

const REPORT = `{ reconciliationReport { verdict isRunning tookMs startedAt
  invariants { invariant verdict note } checks { kind invariant holder count sampleIds means remedy } } }`;

interface Shown {
  readonly reconciliationReport: {
    readonly verdict: string;
    readonly isRunning: boolean;
    readonly startedAt: string;
    readonly invariants: readonly { readonly invariant: string; readonly verdict: string }[];
    readonly checks: readonly {
      readonly kind: string;
      readonly count: number;
      readonly sampleIds: readonly string[];
    }[];
  };
}

describe('X.2 the query reconciliationReport', () => {
  const ask = async (token: string, url = cluster.urls[0]) =>
    graphqlRequest<Shown>(url, { query: REPORT, token });

  it('shows staff the drifts of their own tenant, by ids', async () => {
    const { world } = cluster;
    const [tenant, other] = [await seedTenant(world), await seedTenant(world)];
    const { tenantId } = tenant;
    await emOf(world, tenantId).execute('update tenant set codes_issued = 5 where id = ?', [tenantId]);
    const { tokens } = world.services;
    const auditor = tokens.sign({ kind: 'STAFF', tenantId, staffId: 'a', role: 'AUDITOR' }, 900);
    const { data } = await ask(auditor);
    const report = data?.reconciliationReport;
    expect(report).toMatchObject({ verdict: 'DRIFT', isRunning: false });
    expect(report?.checks.filter(({ count }) => count > 0)).toMatchObject([
      { kind: 'TENANT_QUOTA_DIFFERS', invariant: 'I1', holder: 'DATABASE', count: 1, sampleIds: [tenantId] },
    ]);
    expect(report?.invariants.map(({ verdict }) => verdict)).toEqual([
      'BROKEN',
      'HOLDS',
      'HOLDS',
      'HOLDS',
      'HOLDS',
      'HOLDS',
      'HOLDS',
      'HOLDS',
      'HOLDS',
    ]);
    const clean = await ask(staffToken(world, other.tenantId));
    expect(clean.data?.reconciliationReport.verdict).toBe('CLEAN');
  });

  it('answers many askers with one report, and the next ones for a while', async () => {
    const { tenantId } = await seedTenant(cluster.world);
    const token = staffToken(cluster.world, tenantId);
    const answers = await Promise.all(Array.from({ length: 20 }, async () => ask(token)));
    const again = await ask(token);
    const starts = new Set([...answers, again].map(({ data }) => data?.reconciliationReport.startedAt));
    expect(starts.size).toBe(1);
  });

  it('is for staff alone', async () => {
    const { world } = cluster;
    const { tenantId } = await seedTenant(world);
    const [user] = await signedUsers(world, tenantId, 1);
    const { errors } = await ask(user?.token ?? '');
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
