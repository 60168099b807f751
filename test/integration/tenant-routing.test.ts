import { expect, it } from 'vitest';
import route from '../../deploy/proxy/tenant.mjs';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';

const TENANTS = 3;
const REDEMPTIONS_EACH = 120;
const AT_ONCE_EACH = 16;

let worlds: readonly [World, World];
openBeforeAll(async (closing) => {
  // Tenants go alone, so that nothing but the routing makes a difference.
  const environment = { COMMIT_TENANTS_MAX: '1' };
  worlds = [await closing(openWorld(environment)), await closing(openWorld(environment))];
});

interface Wish {
  readonly tenantId: string;
  readonly userId: string;
  readonly code: string;
}

const routeOf = (headers: Record<string, string>, remoteAddress = '192.0.2.1'): string =>
  route.tenant({ headersIn: headers, remoteAddress });

async function wishes(): Promise<Wish[][]> {
  const [world] = worlds;
  return Promise.all(
    Array.from({ length: TENANTS }, async () => {
      const tenant = await seedTenant(world);
      const { tenantId } = tenant;
      const { codes } = await seedCampaign(world, tenant, REDEMPTIONS_EACH);
      const users = await seedUsers(world, tenantId, REDEMPTIONS_EACH);
      return users.map((userId, at) => ({ tenantId, userId, code: codes[at] ?? '' }));
    }),
  );
}

async function transactions({ services }: World): Promise<number> {
  const metric = services.metrics.registry.getSingleMetric('redemption_transactions_total');
  const { values = [] } = (await metric?.get()) ?? {};
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** Redeems all, each at the process that is chosen for it. @returns transactions for 1,000 redemptions */
async function perThousand(choose: (wish: Wish, at: number) => World): Promise<number> {
  const sum = async (): Promise<number> =>
    (await Promise.all(worlds.map(transactions))).reduce((all, each) => all + each, 0);
  const ofTenants = await wishes();
  const before = await sum();
  await Promise.all(
    ofTenants.map(async (ofTenant) =>
      eachOf(ofTenant.entries(), AT_ONCE_EACH, async ([at, wish]) => {
        const answer = await redeem(choose(wish, at), wish.tenantId, wish.userId, wish.code);
        expect(outcomeOf(answer)).toBe('COMMITTED');
      }),
    ),
  );
  return (((await sum()) - before) / (TENANTS * REDEMPTIONS_EACH)) * 1000;
}

it('X.24 two processes, with tenants routed as the proxy routes them, need no more transactions than one', async () => {
  const [one, two] = worlds;
  const { tokens } = one.services;
  const homes = new Map<string, World>();
  const home = ({ tenantId, userId }: Wish): World => {
    const token = tokens.sign({ kind: 'USER', tenantId, userId }, 60);
    const key = routeOf({ authorization: `Bearer ${token}` });
    const found = homes.get(key) ?? (homes.size % 2 === 0 ? one : two);
    homes.set(key, found);
    return found;
  };
  const alone = await perThousand(() => one);
  const routed = await perThousand(home);
  const anywhere = await perThousand((_wish, at) => (at % 2 === 0 ? one : two));
  expect(homes.size).toBe(TENANTS);
  expect(new Set(homes.values()).size).toBe(2);
  expect(routed, `alone ${alone}, anywhere ${anywhere}`).toBeLessThan(alone * 1.3);
  expect(anywhere, `alone ${alone}, routed ${routed}`).toBeGreaterThan(routed * 1.3);
});

it('X.24 the proxy knows the tenant of every kind of caller, and of none', () => {
  const { tokens } = worlds[0].services;
  const staff = tokens.sign({ kind: 'STAFF', tenantId: 'T_1', staffId: 's', role: 'OWNER' }, 60);
  expect(routeOf({ authorization: `Bearer ${staff}` })).toBe('T_1');
  expect(routeOf({ authorization: `bearer ${staff}`, 'x-tenant-id': 'T_2' })).toBe('T_1');
  expect(routeOf({ 'x-tenant-id': 'T_2' })).toBe('T_2');
  expect(routeOf({ authorization: 'Bearer rk_live_abc' })).toBe('rk_live_abc');
  expect(routeOf({ authorization: 'Bearer a.!!.c' })).toBe('a.!!.c');
  expect(routeOf({}, '192.0.2.7')).toBe('192.0.2.7');
});
