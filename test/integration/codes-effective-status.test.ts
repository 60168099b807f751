import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import type { CodeFilter } from '../../src/codes/code-filter.js';
import { joined } from '../../src/codes/code-search.js';
import { Code } from '../../src/codes/code.entity.js';
import {
  effectiveStatusOf,
  EFFECTIVE_STATUSES,
  type EffectiveStatus,
} from '../../src/codes/effective-status.js';
import { present } from '../../src/platform/assert.js';
import type { Em } from '../../src/platform/database/orm.js';
import { isCampaignOpen } from '../../src/redemption/commit/commit-guards.js';
import { openCodesWorld, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const HOUR_MS = 3_600_000;
const past = () => new Date(world.clock.nowMs() - HOUR_MS);
const future = () => new Date(world.clock.nowMs() + HOUR_MS);

async function found(tenantId: string, filter: CodeFilter): Promise<string[]> {
  const { total, items } = await world.codeReader.page(tenantId, filter, { offset: 0, size: 500 });
  expect(items).toHaveLength(total);
  return items.map((code) => code.id);
}

async function listOf(em: Em, tenantId: string, filter: CodeFilter) {
  const { ways, union } = present(await world.codeSearch.find(em, tenantId, filter), 'The search');
  const { sql, params } = joined(ways, union);
  return { sql, params: [...params] };
}

async function campaignOf(tenantId: string, count: number, data: Partial<Campaign>) {
  const { campaign, batchId } = await world.launches.create(tenantId, {
    name: 'Campaign',
    rule: ruleOf(),
    initialCodes: count,
  });
  await world.em(tenantId).nativeUpdate(Campaign, { id: campaign.id }, { status: 'ACTIVE', ...data });
  const rows = await world.em(tenantId).find(Code, { campaignId: campaign.id }, { orderBy: { id: 'asc' } });
  return { campaignId: campaign.id, batchId: batchId ?? '', ids: rows.map((row) => row.id) };
}

/** Codes in every state, those that two states would fit among them; by what each comes to. */
const codeCases = (): [EffectiveStatus, Partial<Code>][] => [
  ['ACTIVE', {}],
  ['ACTIVE', { startsAt: past(), expiresAt: future() }],
  ['ACTIVE', { useLimit: 0, used: 9 }],
  ['ASSIGNED', { assignedUserId: '7' }],
  ['USED_UP', { useLimit: 3, used: 3 }],
  ['USED_UP', { useLimit: 1, used: 1, assignedUserId: '7', expiresAt: future() }],
  ['EXPIRED', { expiresAt: past() }],
  ['EXPIRED', { expiresAt: past(), startsAt: past(), useLimit: 1, used: 1 }],
  ['EXPIRED', { expiresAt: past(), assignedUserId: '7' }],
  ['NOT_STARTED', { startsAt: future() }],
  ['NOT_STARTED', { startsAt: future(), expiresAt: past() }],
  ['INACTIVE', { status: 'INACTIVE', expiresAt: past() }],
  ['DISABLED', { status: 'DISABLED', startsAt: future(), used: 1 }],
];
const campaignCases = (): [EffectiveStatus, Partial<Campaign>][] => [
  ['CAMPAIGN_DRAFT', { status: 'DRAFT' }],
  ['CAMPAIGN_PAUSED', { status: 'PAUSED', startsAt: future() }],
  ['CAMPAIGN_ENDED', { status: 'ENDED' }],
  ['CAMPAIGN_ENDED', { status: 'ACTIVE', endsAt: past() }],
  ['CAMPAIGN_ENDED', { status: 'PAUSED', endsAt: past() }],
  ['CAMPAIGN_NOT_STARTED', { startsAt: future() }],
];
const batchCases = (): [EffectiveStatus, Partial<CodeBatch>][] => [
  ['FROZEN', { frozenAt: past() }],
  ['FROZEN', { frozenAt: past(), status: 'PENDING' }],
  ['VOIDED', { voidedAt: past(), frozenAt: past() }],
  ['INACTIVE', { awaitsActivation: true }],
  ['VOIDED', { voidedAt: past(), status: 'CANCELLED' }],
  ['BATCH_NOT_READY', { status: 'PENDING' }],
  ['BATCH_NOT_READY', { status: 'GENERATING' }],
  ['BATCH_NOT_READY', { status: 'CANCELLED' }],
  ['BATCH_NOT_READY', { status: 'FAILED' }],
];

/** A tenant with a code for each case, and ids by effective status. */
async function seedAll() {
  const tenantId = await world.addTenant();
  const em = () => world.em(tenantId);
  const expected = new Map<EffectiveStatus, string[]>(EFFECTIVE_STATUSES.map((status) => [status, []]));
  const expectAll = (status: EffectiveStatus, ids: readonly string[]) => expected.get(status)?.push(...ids);
  const open = await campaignOf(tenantId, codeCases().length, { startsAt: past(), endsAt: future() });
  for (const [index, [status, data]] of codeCases().entries()) {
    await em().nativeUpdate(Code, { id: open.ids[index] ?? '' }, data);
    expectAll(status, [open.ids[index] ?? '']);
  }
  for (const [status, data] of campaignCases()) {
    const { ids, batchId } = await campaignOf(tenantId, 2, data);
    // The campaign comes first, whatever batch and code are.
    await em().nativeUpdate(CodeBatch, { id: batchId }, { frozenAt: past() });
    await em().nativeUpdate(Code, { id: ids[0] ?? '' }, { status: 'DISABLED' });
    expectAll(status, ids);
  }
  for (const [status, data] of batchCases()) {
    const { ids, batchId } = await campaignOf(tenantId, 2, {});
    await em().nativeUpdate(CodeBatch, { id: batchId }, data);
    await em().nativeUpdate(Code, { id: ids[0] ?? '' }, { status: 'DISABLED' });
    expectAll(status, ids);
  }
  const { ids } = await campaignOf(tenantId, 1, {});
  await em().nativeUpdate(Code, { id: ids[0] ?? '' }, { deletedAt: past() });
  await world.codeTotals.recount(tenantId);
  return { tenantId, open, expected };
}

describe('X.20 the effective status of a code', () => {
  it('is what campaign, batch, code and time come to, and each filter finds exactly its codes', async () => {
    const { tenantId, open, expected } = await seedAll();
    const { items } = await world.codeReader.page(tenantId, {}, { offset: 0, size: 500 });
    const shown = await Promise.all(items.map(async (code) => world.codeReader.effectiveStatus(code)));
    const newestFirst = (ids: readonly string[]) => ids.toSorted((a, b) => Number(BigInt(b) - BigInt(a)));
    for (const status of EFFECTIVE_STATUSES) {
      const ids = newestFirst(expected.get(status) ?? []);
      expect(ids).not.toEqual([]);
      expect([status, await found(tenantId, { effectiveStatus: [status] })]).toEqual([status, ids]);
      const own = items.filter((_code, index) => shown[index] === status);
      expect(own.map(({ id }) => id)).toEqual(ids);
    }
    const all = await found(tenantId, { effectiveStatus: EFFECTIVE_STATUSES });
    expect(all).toEqual(items.map(({ id }) => id));
    const mixed = ['FROZEN', 'EXPIRED', 'CAMPAIGN_PAUSED'] as const;
    expect(await found(tenantId, { effectiveStatus: mixed })).toEqual(
      newestFirst(mixed.flatMap((status) => expected.get(status) ?? [])),
    );
    expect(await found(tenantId, { effectiveStatus: mixed, campaignId: open.campaignId })).toEqual(
      newestFirst(expected.get('EXPIRED') ?? []),
    );
    expect(await found(tenantId, { effectiveStatus: [], campaignId: open.campaignId })).toEqual([]);
  });

  it('says that a campaign is open exactly when a redemption would say so', () => {
    const now = Date.UTC(2030, 0, 1);
    const instants = [null, new Date(now - 1), new Date(now), new Date(now + 1)];
    const unused = { startsAt: null, expiresAt: null, assignedUserId: null } as const;
    const code = { status: 'ACTIVE', useLimit: 1, used: 0, ...unused } as const;
    const flags = { frozenAt: null, voidedAt: null, awaitsActivation: false, extendedTo: null };
    const batch = { id: '1', campaignId: '1', status: 'READY' as const, ...flags };
    for (const status of ['DRAFT', 'ACTIVE', 'PAUSED', 'ENDED'] as const)
      for (const startsAt of instants)
        for (const endsAt of instants) {
          const campaign = { id: '1', status, startsAt, endsAt };
          const isOpen = effectiveStatusOf(code, batch, campaign, now) === 'ACTIVE';
          expect(isOpen).toBe(isCampaignOpen(campaign, now));
        }
  });

  it('of a page takes one look at its batches and its campaigns, however many there are', async () => {
    const { tenantId } = await seedAll();
    const { items } = await world.codeReader.page(tenantId, {}, { offset: 0, size: 500 });
    const execute = vi.spyOn(world.orm.em.getConnection(), 'execute');
    await Promise.all(items.map(async (code) => world.codeReader.effectiveStatus(code)));
    const statements = execute.mock.calls.length;
    execute.mockRestore();
    expect(items.length).toBeGreaterThan(25);
    expect(statements).toBe(3);
  });
});

describe('X.20 among many codes', () => {
  const COPIES = 20_000;

  /** An open campaign with many ACTIVE codes, and what leads to those that were looked for. */
  async function seedMany() {
    const tenantId = await world.addTenant();
    const open = await campaignOf(tenantId, 3, {});
    const draft = await campaignOf(tenantId, 2, { status: 'DRAFT' });
    const frozen = await campaignOf(tenantId, 2, {});
    const em = world.em(tenantId);
    await em.nativeUpdate(CodeBatch, { id: frozen.batchId }, { frozenAt: past() });
    const [off = '', assigned = ''] = open.ids;
    await em.nativeUpdate(Code, { id: off }, { status: 'DISABLED' });
    await em.nativeUpdate(Code, { id: assigned }, { assignedUserId: '7' });
    const digits = Array.from({ length: 5 }, (_, place) => `(select 0 d${place} ${unions(place)}) t${place}`);
    await em.execute(
      `insert into code (tenant_id, id, code_digest, digest_key_id, code_text, last_four, campaign_id, batch_id,
          status, use_limit, issued_at)
        select ?, 1000 + n, concat('d', ?, n), 1, concat('MANY', lpad(n, 8, '0')), right(lpad(n, 8, '0'), 4), ?, ?,
          'ACTIVE', 1, now(3)
        from (select d0 + 10 * d1 + 100 * d2 + 1000 * d3 + 10000 * d4 as n from ${digits.join(', ')}) numbers
        where n < ${COPIES}`,
      [tenantId, tenantId, open.campaignId, open.batchId],
    );
    await em.nativeUpdate(CodeBatch, { id: open.batchId }, { generated: 60_000 });
    await world.codeTotals.recount(tenantId);
    await em.execute('analyze table code');
    const { codeText } = await em.findOneOrFail(Code, { id: draft.ids[1] ?? '' });
    return { tenantId, open, draft, frozen, off, assigned, text: codeText ?? '' };
  }

  const unions = (place: number): string =>
    Array.from({ length: 9 }, (_, index) => `union all select ${index + 1} d${place}`).join(' ');

  it(
    'a part is looked for among the codes of its tenant, not those of a tenant in the same partition',
    { timeout: 60_000 },
    async () => {
      const { tenantId } = await seedMany();
      const neighbour = await neighbourOf(tenantId);
      await campaignOf(neighbour, 1, {});
      await world.em(neighbour).nativeUpdate(CodeBatch, {}, { generated: 60_000 });
      const rowsRead = async (tenant: string) => {
        const em = world.em(tenant);
        const { sql, params } = await listOf(em, tenant, { part: 'MANY' });
        const steps = await em.execute<{ key: string; rows: number }[]>(
          `explain format = traditional ${sql}`,
          params,
        );
        return Number(steps.find(({ key }) => key === 'ix_code__tenant_text')?.rows);
      };
      expect(await rowsRead(tenantId)).toBeGreaterThan(COPIES / 4);
      expect(await rowsRead(neighbour)).toBeLessThan(10);
      expect(await found(neighbour, { part: 'MANY' })).toEqual([]);
    },
  );

  /** Another tenant whose codes lie in the same partition. */
  async function neighbourOf(tenantId: string): Promise<string> {
    const partitionOf = async (tenant: string): Promise<unknown> => {
      const em = world.em(tenant);
      const query = 'select 1 from code where tenant_id = ?';
      // MariaDB names partitions only when asked to, and MySQL without being asked.
      const [step] = await em
        .execute<{ partitions: string }[]>(`explain partitions ${query}`, [tenant])
        .catch(async () =>
          em.execute<{ partitions: string }[]>(`explain format = traditional ${query}`, [tenant]),
        );
      return step?.partitions;
    };
    const wanted = await partitionOf(tenantId);
    for (;;) {
      const other = await world.addTenant();
      if ((await partitionOf(other)) === wanted) return other;
    }
  }

  it(
    'a filter by effective status or part goes by an index, and looks at no other codes',
    { timeout: 60_000 },
    async () => {
      const { tenantId, open, draft, frozen, off, assigned, text } = await seedMany();
      const plan = async (filter: CodeFilter) => {
        const em = world.em(tenantId);
        const { sql, params } = await listOf(em, tenantId, filter);
        const rows = await em.execute<{ table: string; key: string | null; rows: number }[]>(
          `explain format = traditional ${sql}`,
          params,
        );
        return rows.filter(({ table }) => table === 'code');
      };
      const lookups: [CodeFilter, string[], string[]][] = [
        [{ effectiveStatus: ['DISABLED'] }, ['ix_code__state'], [off]],
        [{ effectiveStatus: ['ASSIGNED'] }, ['ix_code__state'], [assigned]],
        [{ effectiveStatus: ['EXPIRED', 'INACTIVE'] }, ['ix_code__state'], []],
        [{ effectiveStatus: ['CAMPAIGN_DRAFT'] }, ['ix_code__state'], draft.ids],
        [{ effectiveStatus: ['FROZEN'] }, ['ix_code__batch'], frozen.ids],
        [
          { part: text },
          ['uq_code__tenant_digest', 'ix_code__tenant_text', 'ix_code__canonical_tail'],
          [draft.ids[1] ?? ''],
        ],
      ];
      for (const [filter, keys, ids] of lookups) {
        const reads = await plan(filter);
        expect({ filter, keys: reads.map(({ key }) => key) }).toEqual({ filter, keys });
        expect({ filter, ids: await found(tenantId, filter) }).toEqual({ filter, ids: ids.toReversed() });
      }
      // Whatever share of all codes they hold: they may be the oldest of millions.
      expect((await plan({ batchId: open.batchId })).map(({ key }) => key)).toEqual(['ix_code__batch']);
      expect((await plan({ campaignId: open.campaignId })).map(({ key }) => key)).toEqual([
        'ix_code__campaign',
      ]);
      const { total } = await world.codeReader.page(
        tenantId,
        { effectiveStatus: ['ACTIVE'] },
        { offset: 0, size: 1 },
      );
      expect(total).toBe(COPIES + 1);
    },
  );
});
