import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { openWorld, seedCampaign, seedTenant, type SeededTenant, type World } from '../support/world.js';

let world: World;
let tenant: SeededTenant;
beforeAll(async () => {
  world = await openWorld();
  tenant = await seedTenant(world);
});
afterAll(async () => world?.close());

const cli = async (...args: string[]) => callCli(cliEnvironment(), args);
const its = () => ['--tenant', tenant.tenantId];

/** What a command prints as JSON. */
async function jsonOf(...args: string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await lineOf(cli(...args, '--json'))) as Record<string, unknown>;
}

describe('list', () => {
  it('prints everything that the command line makes, as a table for people and as JSON for machines', async () => {
    const { campaignId } = await seedCampaign(world, tenant, 2);
    await world.services.users.ensureUser(tenant.tenantId, 'alice');
    const lists: [string, string[], Record<string, unknown>][] = [
      ['tenant', ['--part', tenant.tenantId], { id: tenant.tenantId, status: 'ACTIVE' }],
      ['product-line', its(), { code: 'APP_A', hourLimit: 100 }],
      ['plan', its(), { id: tenant.planId, unitPrice: '9.9', version: 1 }],
      ['campaign', its(), { id: campaignId, status: 'ACTIVE', rewards: [`SUBSCRIPTION:${tenant.planId}`] }],
      ['batch', [...its(), '--campaign', campaignId], { campaignId, generated: 2 }],
      ['codes', [...its(), '--campaign', campaignId], { campaignId, effectiveStatus: 'ACTIVE', used: 0 }],
      ['user', [...its(), '--user', 'alice'], { externalId: 'alice', tags: [] }],
    ];
    for (const [group, options, row] of lists) {
      const { total, items } = (await jsonOf(group, 'list', ...options)) as {
        total: number;
        items: object[];
      };
      expect([group, total]).toEqual([group, items.length]);
      expect(items).toContainEqual(expect.objectContaining(row));
      const [head = '', ...lines] = (await lineOf(cli(group, 'list', ...options))).split('\n');
      expect(head.split(/ +/)).toEqual(Object.keys(items[0] ?? {}));
      expect(lines).toHaveLength(total);
    }
    expect(await lineOf(cli('pending', 'list', ...its()))).toBe('None.');
  }, 90_000);

  it('prints a page, and says that there are more', async () => {
    const { tenantId } = await seedTenant(world);
    for (const name of ['u-1', 'u-2', 'u-3']) await world.services.users.ensureUser(tenantId, name);
    const text = await lineOf(cli('user', 'list', '--tenant', tenantId, '--size', '2', '--page', '2'));
    expect(text).toContain('u-1');
    expect(text).not.toContain('u-3');
    expect(text).toMatch(/\nPage 2 of 2, 3 in all; --page shows another\.$/);
  });
});

describe('update', () => {
  it('changes a tenant, a product line, a plan and a user, and prints what they are now', async () => {
    await world.services.users.ensureUser(tenant.tenantId, 'bob', ['a']);
    const line = ['product-line', 'update', ...its(), '--code', 'APP_A'];
    expect(await jsonOf(...line, '--hour', '7', '--day', 'none')).toMatchObject({
      hourLimit: 7,
      dayLimit: null,
      version: 2,
    });
    const plan = ['plan', 'update', ...its(), '--id', tenant.planId, '--inventory', 'none', '--sell', 'no'];
    expect(await jsonOf(...plan)).toMatchObject({ inventory: -1, sell: false, show: true, version: 2 });
    const user = ['user', 'update', ...its(), '--user', 'bob'];
    expect(await jsonOf(...user, '--tag', 'vip')).toMatchObject({ tags: ['vip'], status: 'ACTIVE' });
    expect(await jsonOf(...user, '--no-tags', '--status', 'DISABLED')).toMatchObject({
      tags: [],
      status: 'DISABLED',
    });
    const renamed = await lineOf(cli('tenant', 'update', '--id', tenant.tenantId, '--name', 'Renamed'));
    expect(renamed).toMatch(/^id +name .*\nT_\w+ +Renamed +CHANNEL +ACTIVE /);
  });

  it('is refused from an older version, in one line that says what to do next', async () => {
    const update = cli('plan', 'update', ...its(), '--id', tenant.planId, '--name', 'x', '--expect', '99');
    const { line, status } = await refusalLineOf(update);
    expect(status).toBe(1);
    expect(line).toMatch(/^VERSION_CONFLICT: It was changed in the meantime: it is at version \d+ now/);
  });

  it('takes a campaign through its life, and throws a draft away', async () => {
    const make = async () => seedCampaign(world, tenant, 1, { isActive: false, rule: { rewardRules: [] } });
    const { campaignId: id } = await make();
    const campaign = async (verb: string, ...rest: string[]) =>
      cli('campaign', verb, ...its(), '--id', id, ...rest);
    const update = ['--name', 'New', '--ends', '2030-01-01T00:00:00Z', '--json'];
    expect(JSON.parse(await lineOf(campaign('update', ...update)))).toMatchObject({
      name: 'New',
      endsAt: '2030-01-01T00:00:00.000Z',
    });
    const activated = await campaign('activate');
    expect(activated).toMatchObject({ stdout: 'ACTIVE\n', status: 0 });
    expect(activated.stderr).toMatch(/^CAMPAIGN_WITHOUT_REWARDS: The campaign has no rewards/);
    expect(await lineOf(campaign('pause'))).toBe('PAUSED');
    expect(await lineOf(campaign('resume'))).toBe('ACTIVE');
    expect((await refusalLineOf(campaign('delete'))).line).toMatch(/^CAMPAIGN_NOT_DRAFT: /);
    expect(await lineOf(campaign('end'))).toBe('ENDED');
    const { campaignId: draft } = await make();
    expect(await lineOf(cli('campaign', 'delete', ...its(), '--id', draft))).toBe('DELETED');
    expect(await world.services.campaignReader.read(tenant.tenantId, draft)).toBeNull();
  });
});

describe('token', () => {
  it('is refused for a tenant that is missing or DISABLED, and makes no user', async () => {
    const missing = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
    const refused = await refusalLineOf(cli('token', '--tenant', missing, '--user', 'u'));
    expect(refused).toEqual({
      status: 1,
      line: `TENANT_NOT_FOUND: There is no tenant "${missing}". \`tenant list\` shows all tenants; \`tenant create\` makes one.`,
    });
    const { tenantId } = await seedTenant(world);
    await world.services.tenantChanges.update(tenantId, { status: 'DISABLED' });
    for (const role of [[], ['--role', 'OWNER']]) {
      const off = await refusalLineOf(cli('token', '--tenant', tenantId, '--user', 'u', ...role));
      expect(off.line).toMatch(/^TENANT_NOT_ACTIVE: The tenant is DISABLED.*`tenant update --status ACTIVE`/);
    }
    expect((await world.services.users.page(tenantId, {}, { offset: 0, size: 1 })).total).toBe(0);
  });
});

it('redeem prints what happened beside the code of a refusal', async () => {
  const refused = await cli('redeem', ...its(), '--user', 'carol', '--product', 'NOPE', 'ABCD-EFGH');
  expect(refused).toMatchObject({ status: 1, stderr: '' });
  expect(JSON.parse(refused.stdout)).toMatchObject({
    status: 'REFUSED',
    refusal: {
      code: 'PRODUCT_UNKNOWN',
      message: expect.stringMatching(/not known here.*`product-line list` shows/) as unknown,
    },
  });
});
