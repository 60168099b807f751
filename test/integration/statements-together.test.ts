import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { present } from '../../src/platform/assert.js';
import { systemClock } from '../../src/platform/clock.js';
import { writeTogether } from '../../src/platform/database/execute-together.js';
import { connectOrm, type Em } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { storedRows } from '../support/counted-rows.js';
import { statementsOf } from '../support/statements.js';

let orm: MikroORM;
let tenantId: string;
beforeAll(async () => {
  const databaseUrl = inject('databaseUrl');
  orm = await connectOrm({ databaseUrl, poolSize: 2, entities, severalStatements: true });
});
afterAll(async () => orm?.close(true));
beforeEach(() => {
  tenantId = `T_${randomBytes(6).toString('hex')}`;
});

const insert = async (em: Em, campaignId: number, ofTenant = tenantId) =>
  writeTogether(
    em,
    'insert into campaign_usage (tenant_id, campaign_id, user_id, day, uses, value) values (?, ?, 0, 0, 0, 0)',
    [ofTenant, campaignId],
  );

describe('statements of one message', () => {
  it('are kept as a whole with their transaction', async () => {
    const transactions = new Transactions(orm);
    await transactions.run(tenantId, async (em) => Promise.all([insert(em, 1), insert(em, 2)]));
    expect(await storedRows(orm, tenantId)).toEqual({ 1: 0, 2: 0 });
  });

  it('are never sent once their transaction has ended, and their callers learn it', async () => {
    const answers: Promise<unknown>[] = [];
    const answerOf = async (em: Em, campaignId: number) => insert(em, campaignId).catch(String);
    const ems: Em[] = [];
    const work = async (em: Em) => {
      ems.push(em);
      await insert(em, 1);
      answers.push(answerOf(em, 2));
      throw new Error('The work fails.');
    };
    await expect(new Transactions(orm).run(tenantId, work)).rejects.toThrow('The work fails.');
    answers.push(...ems.map(async (em) => answerOf(em, 3)));
    const tooLate = 'StatementTooLateError: The transaction of this statement has ended.';
    expect(await Promise.all(answers)).toEqual([tooLate, tooLate]);
    expect(await storedRows(orm, tenantId)).toEqual({});
  });

  it('of several tenants are one message of one transaction, and each sees its own rows', async () => {
    const tenantIds = [`${tenantId}_A`, `${tenantId}_B`];
    const seen: number[][] = [];
    const work = async (ems: ReadonlyMap<string, Em>): Promise<void> => {
      await Promise.all([...ems].map(async ([id, em], at) => insert(em, at + 1, id)));
      for (const em of ems.values())
        seen.push((await em.find(CampaignUsage, {})).map((row) => Number(row.campaignId)));
    };
    const sent = await statementsOf(orm, async () => new Transactions(orm).runForSeveral(tenantIds, work));
    expect(sent.filter(({ query }) => query.includes('insert'))).toHaveLength(1);
    expect(seen).toEqual([[1], [2]]);
    expect(await Promise.all(tenantIds.map(async (id) => storedRows(orm, id)))).toEqual([{ 1: 0 }, { 2: 0 }]);
  });

  it('of several tenants are undone for all where one fails', async () => {
    const tenantIds = [`${tenantId}_A`, `${tenantId}_B`];
    const work = async (ems: ReadonlyMap<string, Em>): Promise<void> => {
      await Promise.all([...ems].map(async ([id, em]) => insert(em, 1, id)));
      await Promise.all([...ems.values()].map(async (em) => insert(em, 1, tenantIds[1])));
    };
    await expect(new Transactions(orm).runForSeveral(tenantIds, work)).rejects.toThrow('Duplicate entry');
    expect(await Promise.all(tenantIds.map(async (id) => storedRows(orm, id)))).toEqual([{}, {}]);
  });

  it('of several tenants are never sent once that of one has failed', async () => {
    const tenantIds = [`${tenantId}_A`, `${tenantId}_B`];
    const late: Promise<unknown>[] = [];
    const work = async (ems: ReadonlyMap<string, Em>): Promise<void> => {
      const [a, b] = [...ems.values()];
      const ofB = pause(50).then(async () => insert(present(b, 'The second'), 2, tenantIds[1]));
      late.push(ofB.catch((error: unknown) => error));
      await insert(present(a, 'The first'), 1, tenantIds[0]);
      await insert(present(a, 'The first'), 1, tenantIds[0]);
    };
    await expect(new Transactions(orm).runForSeveral(tenantIds, work)).rejects.toThrow('Duplicate entry');
    expect(await Promise.all(late)).toEqual([expect.objectContaining({ name: 'StatementTooLateError' })]);
    expect(await Promise.all(tenantIds.map(async (id) => storedRows(orm, id)))).toEqual([{}, {}]);
  });

  it('of several tenants have events by which each is told of its own, and no savepoints', async () => {
    const tenantIds = [`${tenantId}_A`, `${tenantId}_B`];
    const rung: [string, number][] = [];
    const outbox = new Outbox(systemClock, (of, seq) => rung.push([of, seq]));
    const transactions = new Transactions(orm);
    await transactions.runForSeveral(tenantIds, async (ems) => {
      for (const [id, em] of ems) {
        outbox.append(em, id, [{ type: 'tested', userId: null, payload: {} }]);
        await expect(transactions.nested(em, async () => Promise.resolve())).rejects.toThrow('savepoint');
      }
      expect(rung).toEqual([]);
    });
    expect(rung).toEqual(tenantIds.map((id) => [id, 1]));
  });

  it('S3.4 are never sent once their nested part has failed, and those of the whole still are', async () => {
    const transactions = new Transactions(orm);
    const late: Promise<unknown>[] = [];
    await transactions.run(tenantId, async (em) => {
      await insert(em, 1);
      const part = transactions.nested(em, async (inner) => {
        await insert(inner, 2);
        late.push(insert(inner, 3).catch(String));
        throw new Error('The part fails.');
      });
      await expect(part).rejects.toThrow('The part fails.');
      await insert(em, 4);
    });
    expect(await Promise.all(late)).toEqual([
      'StatementTooLateError: The transaction of this statement has ended.',
    ]);
    expect(await storedRows(orm, tenantId)).toEqual({ 1: 0, 4: 0 });
  });

  it('S3.4 must have been answered when their nested part ends well', async () => {
    const transactions = new Transactions(orm);
    const late: Promise<unknown>[] = [];
    const forgetful = transactions.run(tenantId, async (em) =>
      transactions.nested(em, async (inner) => {
        late.push(insert(inner, 1).catch(String));
      }),
    );
    await expect(forgetful).rejects.toThrow('while statements of it waited');
    expect(await Promise.all(late)).toHaveLength(1);
    expect(await storedRows(orm, tenantId)).toEqual({});
  });
});
