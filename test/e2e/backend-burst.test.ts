import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { User } from '../../src/identity/users/user.entity.js';
import { staffToken, startBundled } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import type { RunningProcess } from '../support/processes.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

/** What a partner's backend sends at once under its one token. */
const CALLS = 500;
/** Fewer, since their transactions write the audit log one after the other, and each must have a connection within 15 s. */
const SIGN_INS = 200;

let world: World;
let api: RunningProcess;
beforeAll(async () => {
  world = await openWorld();
  const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
  api = await startBundled({ role: 'api', ...urls, environment: { STORE_TIMEOUT_MS: '10000' } });
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

const SIGN_IN = `mutation ($input: CreateUserTokenInput!) {
  createUserToken(input: $input) { userId errors { code } }
}`;

it('X.19 signs in all of 200 users that one backend sends at once, each once', async () => {
  const { tenantId } = await seedTenant(world);
  const token = staffToken(world, tenantId);
  const signIn = async (no: number) =>
    graphqlRequest<{ createUserToken: { userId: string | null } }>(api.url, {
      query: SIGN_IN,
      token,
      variables: { input: { externalUserId: `customer-${no}` } },
    });
  const answers = await Promise.all(Array.from({ length: SIGN_INS }, async (_, no) => signIn(no)));
  const codes = answers.map(({ status, errors }) => errors?.[0]?.extensions.code ?? status);
  expect(codes.filter((code) => code !== 200)).toEqual([]);
  const userIds = answers.map(({ data }) => data?.createUserToken.userId);
  expect(new Set(userIds).size).toBe(SIGN_INS);
  expect(await emOf(world, tenantId).count(User, {})).toBe(SIGN_INS);
});

it.each([
  ['alone', false],
  ['beside a stream of redemptions', true],
])('X.19 answers 500 lists that one backend asks for at once, %s', async (_how, isPressed) => {
  const { tenantId } = await seedTenant(world);
  const token = staffToken(world, tenantId);
  const stream = await redeemWithoutEnd(isPressed);
  const ask = async () => graphqlRequest(api.url, { query: '{ plans { total } users { total } }', token });
  const answers = await Promise.all(Array.from({ length: CALLS }, ask));
  expect(answers.filter(({ status, errors }) => status === 200 && errors === undefined)).toHaveLength(CALLS);
  // Redemptions were under way all the time.
  expect(await stream.end()).toBeGreaterThanOrEqual(isPressed ? 10 : 0);
});

/** Attempts of one user after another, which pass no share; what they find does not matter here. */
async function redeemWithoutEnd(isPressed: boolean) {
  const { tenantId } = await seedTenant(world);
  const token = world.services.tokens.sign({ kind: 'USER', tenantId, userId: '1' }, 900, 'BY_OPERATOR');
  let isOver = !isPressed;
  const run = async (): Promise<number> => {
    for (let answered = 0; ; answered += 1) {
      if (isOver) return answered;
      await graphqlRequest(api.url, { query: REDEEM, token, headers: { 'x-product-code': 'DEMO' } });
    }
  };
  const running = run();
  return {
    end: async () => {
      isOver = true;
      return running;
    },
  };
}

const REDEEM = 'mutation { redeemCode(input: { code: "NO-SUCH-CODE" }) { errors { code } } }';
