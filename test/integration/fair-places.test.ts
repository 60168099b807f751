import { setTimeout as pause } from 'node:timers/promises';
import { graphql, type GraphQLSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../src/graphql/context.js';
import { UNSHARED } from '../../src/graphql/field-marks.js';
import { serveFairly } from '../../src/transport/fair-schema.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { withoutPlace } from '../../src/platform/scheduling/held-place.js';
import { newTransportSchema } from '../support/transport-schema.js';
import { PLACES, USER } from '../support/transport-server.js';

const run = async (schema: GraphQLSchema, source: string, userId = '1') => {
  const contextValue = { actor: { ...USER, userId }, ip: '10.0.0.1' } as unknown as RequestContext;
  return graphql({ schema, source, contextValue });
};

describe('places of queries (X.19)', () => {
  it('give the place of a query that only waits to another, and have it take its turn again', async () => {
    const schema = newTransportSchema();
    const fields = schema.getQueryType()?.getFields() ?? {};
    const { promise: settled, resolve: settle } = Promise.withResolvers<null>();
    let waiting = 0;
    const resolve = async (_source: unknown, _args: object, { actor }: RequestContext) => {
      if (actor?.kind !== 'USER' || actor.userId === 'lists') return 1;
      waiting += 1;
      await withoutPlace(async () => settled);
      return 2;
    };
    Object.assign(fields['slow'] ?? {}, { resolve });
    serveFairly(schema, new WorkShares(PLACES));
    const waits = Array.from({ length: 20 }, async (_, no) => run(schema, '{ slow }', String(no)));
    await expect.poll(() => waiting).toBe(20);
    expect((await run(schema, '{ slow }', 'lists')).data).toEqual({ slow: '1' });
    settle(null);
    const answers = await Promise.all(waits);
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 20 }, () => ({ slow: '2' })));
  });

  it.each([
    ['redis', 0],
    ['database', 1],
  ])('end the waiting lists of a caller whose preview found %s away: %i', async (storeAway, failed) => {
    const schema = newTransportSchema();
    const fields = schema.getQueryType()?.getFields() ?? {};
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      await pause(10);
      return asked === 1 ? { errors: [{ code: 'SERVICE_UNAVAILABLE' }], storeAway } : 1;
    };
    Object.assign(fields['slow'] ?? {}, { resolve });
    serveFairly(schema, new WorkShares({ ...PLACES, reads: 1 }));
    const [, list] = await Promise.all([run(schema, '{ slow }'), run(schema, '{ slow }')]);
    expect(list.errors?.length ?? 0).toBe(failed);
  });
});

it('X.19 a user has eight redemptions under way, whatever number waits, and those of others pass', async () => {
  const schema = newTransportSchema();
  const seen = { running: 0, most: 0 };
  const resolve = async () => {
    seen.running += 1;
    seen.most = Math.max(seen.most, seen.running);
    await pause(100);
    seen.running -= 1;
    return 1;
  };
  Object.assign(schema.getMutationType()?.getFields()['touch'] ?? {}, { resolve, extensions: UNSHARED });
  serveFairly(schema, new WorkShares(PLACES));
  const redeem = async (userId: string) => run(schema, 'mutation { touch }', userId);
  const flood = Array.from({ length: 100 }, async () => redeem('1'));
  await expect.poll(() => seen.running).toBe(8);
  const first = await Promise.race([redeem('2').then(() => 'other'), ...flood.slice(16)]);
  expect([first, seen.most]).toEqual(['other', 9]);
  const answers = await Promise.all(flood);
  expect(answers.filter(({ errors }) => errors !== undefined)).toEqual([]);
});

it('X.19 a user who was refused is not held up by one redemption that hangs', async () => {
  const hanging = Promise.withResolvers<void>();
  const shares = new WorkShares(PLACES);
  let started = 0;
  const redeem = async () =>
    shares.urgently({ tenantId: 'T', kind: 'USER', id: '1' }, async () => {
      started += 1;
      if (started > 1) await hanging.promise;
      return { isLastingRefusal: true };
    });
  await redeem();
  const further = Array.from({ length: 5 }, redeem);
  // The first of them hangs, and 250 ms after the refusal the others start.
  await expect.poll(() => started).toBe(2);
  await expect.poll(() => started, { timeout: 10_000 }).toBe(6);
  hanging.resolve();
  await Promise.all(further);
});

it('X.19 a user who is refused has one redemption under way, until one is not refused', async () => {
  const seen = { running: 0, most: 0 };
  let isLastingRefusal = true;
  const resolve = async () => {
    seen.running += 1;
    seen.most = Math.max(seen.most, seen.running);
    await pause(5);
    seen.running -= 1;
    return { isLastingRefusal };
  };
  const shares = new WorkShares(PLACES);
  const redeem = async (id: string) => shares.urgently({ tenantId: 'T', kind: 'USER', id }, resolve);
  const redeemMany = async (id: string, count: number): Promise<number> => {
    seen.most = 0;
    await Promise.all(Array.from({ length: count }, async () => redeem(id)));
    return seen.most;
  };
  expect(await redeemMany('1', 1)).toBe(1);
  expect(await redeemMany('1', 20)).toBe(1);
  // Other tenants are not affected.
  expect(await redeemMany('2', 8)).toBe(8);
  isLastingRefusal = false;
  await redeem('1');
  expect(await redeemMany('1', 20)).toBe(8);
});
