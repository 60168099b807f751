import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PointsLot } from '../../src/orders/points/points.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { openShop, type Shop } from '../support/coupon-world.js';
import { emOf, openWorld, type World } from '../support/world.js';

let world: World;
let shop: Shop;
beforeAll(async () => {
  world = await openWorld();
  shop = await openShop(world);
  await world.services.users.ensureUser(shop.tenantId, 'alice');
});
afterAll(async () => world?.close());

const cli = async (...args: string[]) => callCli(cliEnvironment(), [...args, '--tenant', shop.tenantId]);

describe('the commands of coupons and points', () => {
  it('make a template, list it, and issue coupons of it once for a key', async () => {
    const terms = ['--kind', 'THRESHOLD', '--currency', 'USD', '--amount', '5.50', '--minimum', '20'];
    const id = await lineOf(
      cli('coupon', 'create', '--name', 'Five', ...terms, '--limit', '3', '--days', '9'),
    );
    const { items } = JSON.parse(await lineOf(cli('coupon', 'list', '--json'))) as { items: object[] };
    const shown = {
      id,
      name: 'Five',
      kind: 'THRESHOLD',
      amount: '5.5',
      minimum: '20',
      issued: 0,
      issueLimit: 3,
    };
    expect(items).toEqual([expect.objectContaining(shown)]);
    const issue = ['coupon', 'issue', '--template', id, '--user', 'alice', '--count', '2', '--key', 'k'];
    const issued = await lineOf(cli(...issue));
    expect(await lineOf(cli(...issue))).toBe(issued);
    const coupons = await emOf(world, shop.tenantId).find(UserCoupon, {}, { orderBy: { id: 'asc' } });
    expect(coupons.map((coupon) => coupon.id)).toEqual(issued.split('\n'));
    const refused = await refusalLineOf(cli('coupon', 'issue', '--template', id, '--user', 'bob'));
    expect(refused.line).toContain('USER_NOT_FOUND');
  }, 60_000);

  it('grant points once for a key', async () => {
    const grant = ['points', 'grant', '--user', 'alice', '--amount', '500', '--days', '30', '--key', 'k'];
    const id = await lineOf(cli(...grant));
    expect(await lineOf(cli(...grant))).toBe(id);
    const lots = await emOf(world, shop.tenantId).find(PointsLot, {});
    expect(lots).toMatchObject([{ id, remaining: 500 }]);
  }, 60_000);
});
