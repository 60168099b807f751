import type { MikroORM } from '@mikro-orm/core';
import { graphql } from 'graphql';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { entities } from '../../src/app/modules.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { serveFairly } from '../../src/transport/fair-schema.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { isStatementTimeout } from '../../src/platform/database/sql-errors.js';
import { newTransportSchema } from '../support/transport-schema.js';
import { PLACES, USER } from '../support/transport-server.js';

/** Counts to ten thousand million, which no server does in the time it is given here. */
const ENDLESS = `with recursive n (v) as (select 1 union all select v + 1 from n where v < 1000)
  select count(*) from n a, n b, n c, n d where a.v + b.v + c.v + d.v = 1`;

let orm: MikroORM;

beforeAll(async () => {
  orm = await connectOrm({
    databaseUrl: inject('databaseUrl'),
    poolSize: 2,
    statementMsMax: 100,
    entities,
  });
});
afterAll(async () => orm?.close());

it('ends a statement of a query that takes too long at the server, and keeps its connection', async () => {
  const error: unknown = await systemEm(orm)
    .execute(ENDLESS)
    .catch((failure: unknown) => failure);
  expect(isStatementTimeout(error)).toBe(true);
  expect(await systemEm(orm).execute('select 1 as one')).toEqual([{ one: 1 }]);
});

it('answers READ_TIMED_OUT and says what to narrow', async () => {
  const schema = newTransportSchema();
  const field = schema.getQueryType()?.getFields()['boxes'];
  if (field === undefined) throw new Error('The schema has no such query.');
  field.resolve = async () => systemEm(orm).execute(ENDLESS);
  serveFairly(schema, new WorkShares(PLACES));
  const contextValue = { actor: USER, ip: '10.0.0.1' } as unknown as RequestContext;
  const { errors } = await graphql({ schema, source: '{ boxes { total } }', contextValue });
  expect(errors?.[0]?.extensions['code']).toBe('READ_TIMED_OUT');
  expect(errors?.[0]?.message).toContain('Narrow the filter');
});
