import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { User } from '../../src/identity/user.entity.js';
import { staffToken } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

/** What a partner's backend sends at once under its one token. */
const CALLS = 500;

let world: World;
let api: RunningProcess;
beforeAll(async () => {
  world = await openWorld();
  const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
  api = await startProcess({ role: 'api', ...urls, environment: { STORE_TIMEOUT_MS: '10000' } });
});
afterAll(async () => {
  await api.stop();
  await world.close();
});

const SIGN_IN = `mutation ($input: CreateUserTokenInput!) {
  createUserToken(input: $input) { userId errors { code } }
}`;

it('X.19 signs in all of 500 users that one backend sends at once, each once', async () => {
  const { tenantId } = await seedTenant(world);
  const token = staffToken(world, tenantId);
  const signIn = async (no: number) =>
    graphqlRequest<{ createUserToken: { userId: string | null } }>(api.url, {
      query: SIGN_IN,
      token,
      variables: { input: { externalUserId: `customer-${no}` } },
    });
  const answers = await Promise.all(Array.from({ length: CALLS }, async (_, no) => signIn(no)));
  const codes = answers.map(({ status, errors }) => errors?.[0]?.extensions.code ?? status);
  expect(Map.groupBy(codes, (code) => code).get(200)).toHaveLength(CALLS);
  const userIds = answers.map(({ data }) => data?.createUserToken.userId);
  expect(new Set(userIds).size).toBe(CALLS);
  expect(await emOf(world, tenantId).count(User, {})).toBe(CALLS);
});

it('X.19 answers 500 lists that one backend asks for at once', async () => {
  const { tenantId } = await seedTenant(world);
  const token = staffToken(world, tenantId);
  const ask = async () => graphqlRequest(api.url, { query: '{ plans { total } users { total } }', token });
  const answers = await Promise.all(Array.from({ length: CALLS }, ask));
  expect(answers.filter(({ status, errors }) => status === 200 && errors === undefined)).toHaveLength(CALLS);
});
