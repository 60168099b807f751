import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { openWorld, seedTenant, type SeededTenant, type World } from '../support/world.js';

const FOLDER = fileURLToPath(new URL('../../docs/examples/', import.meta.url));
const examples = readdirSync(FOLDER).filter((name) => /^rule.*\.json$/.test(name));

let world: World;
let tenant: SeededTenant;
beforeAll(async () => {
  world = await openWorld();
  tenant = await seedTenant(world);
});
afterAll(async () => world?.close());

const cli = async (...args: string[]) => callCli(cliEnvironment(), args);

it.each(examples)(
  'the example %s makes a campaign whose codes are redeemed',
  async (name) => {
    const its = ['--tenant', tenant.tenantId];
    const create = ['campaign', 'create', ...its, '--name', name, '--rule', `${FOLDER}${name}`];
    const refused = await refusalLineOf(cli(...create));
    expect(refused.line).toContain('say which plan it is with --plan <id>');
    const campaign = await lineOf(cli(...create, '--plan', tenant.planId, '--activate'));
    const code = await lineOf(cli('codes', 'generate', ...its, '--campaign', campaign, '--count', '1'));
    const redeemed = await cli('redeem', ...its, '--user', `u-${name}`, '--product', 'APP_A', code);
    expect(JSON.parse(redeemed.stdout)).toMatchObject({
      status: 'COMMITTED',
      redemption: { rewards: [{ type: 'SUBSCRIPTION', sourceId: tenant.planId }] },
    });
  },
  60_000,
);
