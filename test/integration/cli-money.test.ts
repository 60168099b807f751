import { afterAll, beforeAll, expect, it } from 'vitest';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { openWorld, seedTenant, type SeededTenant, type World } from '../support/world.js';

let world: World;
let tenant: SeededTenant;
beforeAll(async () => {
  world = await openWorld();
  tenant = await seedTenant(world);
});
afterAll(async () => world?.close());

const cli = async (...args: string[]) => callCli(cliEnvironment(), [...args, '--tenant', tenant.tenantId]);
const jsonOf = async (...args: string[]) => JSON.parse(await lineOf(cli(...args, '--json'))) as unknown;

it('makes a currency and a facility, changes a balance once for an order id, and lists all three', async () => {
  await world.services.users.ensureUser(tenant.tenantId, 'alice');
  const currency = [
    '--code',
    'USD',
    '--name',
    'Dollar',
    '--scale',
    '2',
    '--fee',
    '0.01',
    '--daily-count',
    '9',
  ];
  expect(await lineOf(cli('currency', 'create', ...currency))).toBe('USD');
  const facility = await lineOf(cli('facility', 'create', '--name', 'Main shop'));
  const place = ['--facility', facility, '--currency', 'USD', '--remark', 'Gift'];
  const adjust = async (user: string, amount: string, order: string) =>
    cli('balance', 'adjust', '--user', user, ...place, `--amount=${amount}`, '--order', order);
  expect(await lineOf(adjust('alice', '25.00', 'gift-1'))).toBe('25');
  expect(await lineOf(adjust('alice', '25', 'gift-1'))).toBe('25');
  expect(await lineOf(adjust('alice', '-5', 'gift-2'))).toBe('20');
  expect((await refusalLineOf(adjust('alice', '-20.01', 'gift-3'))).line).toContain('INSUFFICIENT_BALANCE');
  expect((await refusalLineOf(adjust('bob', '1', 'gift-4'))).line).toContain('USER_NOT_FOUND');
  expect(await jsonOf('currency', 'list')).toMatchObject({
    total: 1,
    items: [{ code: 'USD', feeRate: '0.01', dailyCountMax: 9, transferMax: null, enabled: true }],
  });
  expect(await jsonOf('facility', 'list')).toMatchObject({ total: 1, items: [{ id: facility }] });
  expect(await jsonOf('balance', 'list')).toMatchObject({
    total: 1,
    items: [{ facilityId: facility, currency: 'USD', balance: '20', haltedAt: null }],
  });
  expect(await jsonOf('balance', 'list', '--halted')).toMatchObject({ total: 0 });
}, 60_000);
