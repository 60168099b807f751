import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openCodesWorld, outcomeOf as endOf, refusalOf, type CodesWorld } from '../support/codes-world.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let codes: CodesWorld;
beforeAll(async () => {
  world = await openWorld();
  codes = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => {
  await world?.close();
  await codes?.close();
});

async function chosenCampaign(): Promise<SeededTenant & { readonly campaignId: string }> {
  const tenant = await seedTenant(world);
  const { campaignId } = await seedCampaign(world, tenant, 1);
  return { ...tenant, campaignId };
}

describe('codes of chosen texts', () => {
  it('are redeemed by all users up to their limit, in any spelling; a typo is malformed', async () => {
    const { tenantId, campaignId } = await chosenCampaign();
    const input = { campaignId, codes: ['WELCOME-10'], useLimit: 3 };
    const { batch } = await world.services.chosenCodes.add(tenantId, input);
    expect([batch.status, batch.generated]).toEqual(['READY', 1]);
    const outcomes = [];
    for (const userId of await seedUsers(world, tenantId, 4))
      outcomes.push(outcomeOf(await redeem(world, tenantId, userId, ' welcome 1o ')));
    expect(outcomes).toEqual(['COMMITTED', 'COMMITTED', 'COMMITTED', 'CODE_EXHAUSTED']);
    const userId = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, 'WELCOME-11'))).toBe('CODE_MALFORMED');
  });

  it('are known at once, also where the text was unknown before', async () => {
    const { tenantId, campaignId } = await chosenCampaign();
    const userId = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, 'SPRING2027'))).toBe('CODE_MALFORMED');
    await world.services.chosenCodes.add(tenantId, { campaignId, codes: ['SPRING2027'] });
    expect(outcomeOf(await redeem(world, tenantId, userId, 'SPRING2027'))).toBe('COMMITTED');
  });

  it('belong to one user where they are assigned', async () => {
    const { tenantId, campaignId } = await chosenCampaign();
    const [mine = '', theirs = ''] = await seedUsers(world, tenantId, 2);
    const list = Array.from({ length: 30 }, (_, index) => `FRIEND${100 + index}`);
    await world.services.chosenCodes.add(tenantId, { campaignId, codes: list, assignedUserId: mine });
    expect(outcomeOf(await redeem(world, tenantId, theirs, 'FRIEND101'))).toBe('CODE_NOT_YOURS');
    expect(outcomeOf(await redeem(world, tenantId, mine, 'FRIEND101'))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, mine, 'FRIEND999'))).toBe('CODE_NOT_FOUND');
  });

  it('S0.17 can be assigned to another user, which counts at the next redemption', async () => {
    const { tenantId, campaignId } = await chosenCampaign();
    const [mine = '', theirs = ''] = await seedUsers(world, tenantId, 2);
    await world.services.chosenCodes.add(tenantId, {
      campaignId,
      codes: ['GIFT-0001'],
      assignedUserId: mine,
    });
    expect(outcomeOf(await redeem(world, tenantId, theirs, 'GIFT-0001'))).toBe('CODE_NOT_YOURS');
    const { items } = await world.services.codeReader.page(
      tenantId,
      { part: 'GIFT-0001' },
      { size: 1, offset: 0 },
    );
    const id = items[0]?.id ?? '';
    await world.services.codeChanges.update(tenantId, id, { assignedUserId: theirs });
    expect(outcomeOf(await redeem(world, tenantId, mine, 'GIFT-0001'))).toBe('CODE_NOT_YOURS');
    expect(outcomeOf(await redeem(world, tenantId, theirs, 'GIFT-0001'))).toBe('COMMITTED');
    const unknown = world.services.codeChanges.update(tenantId, id, { assignedUserId: '4711' });
    expect(await refusalOf(unknown)).toBe('USER_NOT_FOUND');
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ['no codes', { codes: [] }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['a code that is too short', { codes: ['ABC'] }, 'CODE_TEXT_NOT_ALLOWED'],
    ['a code with a blank', { codes: ['WEL COME'] }, 'CODE_TEXT_NOT_ALLOWED'],
    ['a code of another script', { codes: ['ПРИВЕТ'] }, 'CODE_TEXT_NOT_ALLOWED'],
    ['two spellings of one code', { codes: ['HELLO1', 'HELLOL'] }, 'CODES_REPEATED'],
    ['a code that is there', { codes: ['NEWONE', 'TAKEN1'] }, 'CODE_EXISTS'],
    ['a negative limit', { codes: ['NEWONE'], useLimit: -1 }, 'USE_LIMIT_OUT_OF_RANGE'],
    ['a user that is not there', { codes: ['NEWONE'], assignedUserId: '4711' }, 'USER_NOT_FOUND'],
    ['a campaign that is not there', { codes: ['NEWONE'], campaignId: '4711' }, 'CAMPAIGN_NOT_FOUND'],
  ];
  it.each(bad)('are refused with %s, and nothing is written', async (_name, fault, refusal) => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId);
    await codes.chosenCodes.add(tenantId, { campaignId, codes: ['TAKEN1'] });
    const before = await codes.state(tenantId);
    const added = codes.chosenCodes.add(tenantId, { campaignId, ...fault });
    expect(await refusalOf(added)).toBe(refusal);
    expect(await codes.state(tenantId)).toEqual(before);
  });

  it('X.18 are refused where they could be guessed, unless they are made to be known or for one user', async () => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId);
    const list = (count: number) => Array.from({ length: count }, (_, index) => String(100_000 + index));
    const add = async (input: Record<string, unknown>) =>
      endOf(codes.chosenCodes.add(tenantId, { campaignId, ...input }));
    expect(await add({ codes: list(100) })).toBe('CODE_SPACE_TOO_SMALL');
    expect(await add({ codes: list(2) })).toBe('CODE_SPACE_TOO_SMALL');
    expect((await codes.state(tenantId)).codes).toEqual([]);
    expect(await add({ codes: ['100000'] })).toBe('DONE');
    // One at a time they add up as well.
    expect(await add({ codes: ['200000'] })).toBe('CODE_SPACE_TOO_SMALL');
    expect(await add({ codes: ['300000'], useLimit: 1000 })).toBe('DONE');
    const { codes: stored } = await codes.state(tenantId);
    await codes.codeChanges.delete(
      tenantId,
      stored.map(({ id }) => id),
    );
    expect(await add({ codes: ['200000'] })).toBe('DONE');
  });

  it('X.18 count in lists of more than 20, also of two uses or assigned, so that none can fill a space', async () => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId);
    const assignedUserId = await codes.addUser(tenantId);
    for (const terms of [{ useLimit: 2 }, { assignedUserId }]) {
      const add = async (count: number, from: number) => {
        const list = Array.from({ length: count }, (_, index) => String(from + index));
        return endOf(codes.chosenCodes.add(tenantId, { campaignId, codes: list, ...terms }));
      };
      const { codes: before } = await codes.state(tenantId);
      expect(await add(21, 100_000)).toBe('CODE_SPACE_TOO_SMALL');
      expect((await codes.state(tenantId)).codes).toEqual(before);
      expect(await add(20, 200_000 + before.length)).toBe('DONE');
    }
  });

  it('exist once, however many calls add the same text at once; the same key answers the same batch', async () => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId);
    const race = await Promise.all(
      Array.from({ length: 10 }, async () =>
        endOf(codes.chosenCodes.add(tenantId, { campaignId, codes: ['SHARED1'] })),
      ),
    );
    expect(race.toSorted()).toEqual([...Array.from({ length: 9 }, () => 'CODE_EXISTS'), 'DONE']);
    const keyed = { campaignId, codes: ['SHARED2'], idempotencyKey: 'k' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => codes.chosenCodes.add(tenantId, keyed)),
    );
    expect(new Set(answers.map(({ batch }) => batch.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const { issued, batches } = await codes.state(tenantId);
    expect([issued, batches.length]).toEqual([2, 2]);
  });
});
