import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { ageSubscription, redeemed, stateOf } from '../support/reversals.js';
import { openWorld, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const DAY_MS = 86_400_000;
const SHOWN =
  'id status reversedAt reversedBy reversalReason rewards { status } debts { rewardNo type debt }';
const REVERSE = `mutation ($input: ReverseRedemptionInput!) {
  reverseRedemption(input: $input) { redemption { ${SHOWN} } errors { code message field } }
}`;
const READ = `query ($id: ID!) { redemption(id: $id) { ${SHOWN} } }`;

async function redeemedOnce() {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenantId);
  const { id } = await redeemed(world, tenantId, userId, codes[0] ?? '');
  const user: Actor = { kind: 'USER', tenantId, userId };
  return { tenantId, id, user };
}

const reverse = async (actor: Actor | null, input: Record<string, unknown>) => {
  const { data, errors } = await api.ask(actor, REVERSE, { input: { reason: 'a mistake', ...input } });
  return { payload: data['reverseRedemption'], errors };
};

describe('reverseRedemption', () => {
  it('answers the reversed redemption, and again after ALREADY_REVERSED', async () => {
    const { tenantId, id } = await redeemedOnce();
    const { payload } = await reverse(staffOf(tenantId), { redemptionId: id });
    const redemption = {
      id,
      status: 'REVERSED',
      reversedAt: expect.any(String) as string,
      reversedBy: 'eve',
      reversalReason: 'a mistake',
      rewards: [{ status: 'REVERSED' }],
      debts: [],
    };
    expect(payload).toEqual({ redemption, errors: [] });
    const again = await reverse(staffOf(tenantId), { redemptionId: id, reason: 'again' });
    expect(again.payload).toMatchObject({ redemption, errors: [{ code: 'ALREADY_REVERSED' }] });
  });

  it('names what was spent, and states it as a debt if asked to', async () => {
    const { tenantId, id } = await redeemedOnce();
    await ageSubscription(world, tenantId, id, 2 * DAY_MS);
    const before = await stateOf(world, tenantId);
    const { payload } = await reverse(staffOf(tenantId), { redemptionId: id });
    expect(payload).toMatchObject({
      redemption: null,
      errors: [
        {
          code: 'REWARD_SPENT',
          field: ['input', 'spent'],
          message: expect.stringContaining('2 DAY') as string,
        },
      ],
    });
    expect(await stateOf(world, tenantId)).toEqual(before);
    const stated = await reverse(staffOf(tenantId), { redemptionId: id, spent: 'DEBT' });
    expect(stated.payload).toMatchObject({
      redemption: { debts: [{ rewardNo: 0, type: 'SUBSCRIPTION', debt: '2 DAY' }] },
      errors: [],
    });
  });

  it('is for owners and operators only', async () => {
    const { tenantId, id, user } = await redeemedOnce();
    const before = await stateOf(world, tenantId);
    const actors = [staffOf(tenantId, 'AUDITOR'), user, null];
    const refused = await Promise.all(actors.map(async (actor) => reverse(actor, { redemptionId: id })));
    expect(refused.map(({ errors }) => errors)).toEqual([['FORBIDDEN'], ['FORBIDDEN'], ['UNAUTHENTICATED']]);
    expect(await stateOf(world, tenantId)).toEqual(before);
    const { payload } = await reverse(staffOf(tenantId, 'OPERATOR'), { redemptionId: id });
    expect(refusalIn(payload)).toBeUndefined();
  });

  it("does not reach another tenant's redemption", async () => {
    const { id } = await redeemedOnce();
    const { tenantId: other } = await seedTenant(world);
    const { payload } = await reverse(staffOf(other), { redemptionId: id });
    expect(payload).toMatchObject({ redemption: null, errors: [{ code: 'REDEMPTION_NOT_FOUND' }] });
  });

  it('shows users that it was reversed, and not by whom or why', async () => {
    const { tenantId, id, user } = await redeemedOnce();
    await reverse(staffOf(tenantId), { redemptionId: id });
    const { data } = await api.ask(user, READ, { id });
    expect(data['redemption']).toMatchObject({
      status: 'REVERSED',
      reversedAt: expect.any(String) as string,
      reversedBy: null,
      reversalReason: null,
    });
    const mine = await api.ask(user, '{ redemptions(filter: { status: REVERSED }) { total items { id } } }');
    expect(mine.data['redemptions']).toEqual({ total: 1, items: [{ id }] });
  });
});

describe('redeemkit redemption reverse', () => {
  const cli = async (...args: string[]) => callCli(cliEnvironment(), ['redemption', 'reverse', ...args]);

  it('prints what was left as a debt, or one line about why it is refused', async () => {
    const { tenantId, id } = await redeemedOnce();
    await ageSubscription(world, tenantId, id, 4 * DAY_MS);
    const args = ['--tenant', tenantId, '--id', id, '--reason', 'sold twice'];
    expect((await refusalLineOf(cli(...args))).line).toContain('REWARD_SPENT');
    const printed = JSON.parse(await lineOf(cli(...args, '--debt', '--return-use'))) as unknown;
    const debts = [{ rewardNo: 0, type: 'SUBSCRIPTION', debt: '4 DAY' }];
    expect(printed).toEqual({ id, status: 'REVERSED', debts });
    const { codes, redemptions } = await stateOf(world, tenantId);
    expect(codes).toMatchObject([{ used: 0 }]);
    expect(redemptions).toMatchObject([{ reversedBy: 'command line', reversalReason: 'sold twice' }]);
    expect((await refusalLineOf(cli(...args))).line).toContain('ALREADY_REVERSED');
  }, 60_000);
});
