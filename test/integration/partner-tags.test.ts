import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PartnerActor } from '../../src/graphql/actor.js';
import { User } from '../../src/identity/users/user.entity.js';
import { CREATE_TOKEN } from '../support/partners.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

const externalUserId = 'alice';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

it('a key of some product lines gives tags to new users only, also of 10 calls at once, and writes nothing otherwise', async () => {
  const { tenantId } = await seedTenant(world);
  const api = new ProductApi(world);
  const signIn = async (tags: string[] | null, productCodes: string[] | null = ['APP_A']) => {
    const ids = { tenantId, partnerId: '1', keyId: '11' };
    const actor: PartnerActor = { kind: 'PARTNER', ...ids, scopes: ['redeem'], productCodes };
    const { data } = await api.ask(actor, CREATE_TOKEN, { input: { externalUserId, tags } });
    return refusalIn(data['createUserToken']) ?? 'OK';
  };
  const row = async () => emOf(world, tenantId).findOneOrFail(User, { externalId: externalUserId });
  const first = await Promise.all(Array.from({ length: 10 }, async (_none, at) => signIn([`t${at}`])));
  expect(first.filter((outcome) => outcome === 'OK')).toHaveLength(1);
  expect(first.filter((outcome) => outcome === 'TAGS_DIFFER')).toHaveLength(9);
  const tags = [`t${first.indexOf('OK')}`];
  expect([await signIn(null), await signIn(tags)]).toEqual(['OK', 'OK']);
  expect(await row()).toMatchObject({ tags, version: 1 });
  expect(await signIn(['vip'], null), 'by a key of all product lines').toBe('OK');
  expect([await signIn([]), await signIn(tags)]).toEqual(['TAGS_DIFFER', 'TAGS_DIFFER']);
  expect(await row()).toMatchObject({ tags: ['vip'], version: 2 });
});

it('staff replace tags by those they give, also by none, and keep them where they give no list', async () => {
  const { tenantId } = await seedTenant(world);
  const api = new ProductApi(world);
  const tagsAfter = async (tags: string[] | null): Promise<string[]> => {
    const { data } = await api.ask(staffOf(tenantId), CREATE_TOKEN, { input: { externalUserId, tags } });
    expect(refusalIn(data['createUserToken'])).toBeUndefined();
    return (await emOf(world, tenantId).findOneOrFail(User, { externalId: externalUserId })).tags;
  };
  expect(await tagsAfter(['new', 'vip'])).toEqual(['new', 'vip']);
  expect(await tagsAfter(null)).toEqual(['new', 'vip']);
  expect(await tagsAfter(['vip'])).toEqual(['vip']);
  expect(await tagsAfter([])).toEqual([]);
});
