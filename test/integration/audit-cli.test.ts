import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detailsIn, entriesOf, findingsOf } from '../support/audit.js';
import { callCli, cliEnvironment, lineOf } from '../support/cli.js';
import { foreignCodes } from '../support/code-files.js';
import { makeScene } from '../support/reconciliation.js';
import { openWorld, seedCampaign, seedTenant, type SeededTenant, type World } from '../support/world.js';

let world: World;
let tenant: SeededTenant;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  tenant = await seedTenant(world);
  folder = await mkdtemp(join(tmpdir(), 'redeemkit-audit-cli-'));
});
afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true });
});

const cli = async (...args: string[]) => callCli(cliEnvironment(), args);

/** The entries that a command adds to the chain of its tenant, in a few words. */
async function recorded(tenantId: string, ...args: string[]): Promise<string[]> {
  const before = (await entriesOf(world, tenantId)).length;
  const { status, stderr } = await cli(...args);
  expect([status, stderr.includes('The audit log does not show')]).toEqual([0, false]);
  const entries = (await entriesOf(world, tenantId)).slice(before);
  return entries.map(({ operation, targetType, targetId }) => `${operation}: ${targetType} ${targetId}`);
}

describe('X.10 the audit log of the command line', () => {
  it('names the account and the machine, and the change', async () => {
    const { tenantId } = await seedTenant(world);
    const args = ['product-line', 'update', '--tenant', tenantId, '--code', 'DEMO', '--name', 'Shop'];
    expect(await recorded(tenantId, ...args)).toEqual(['cli product-line update: product_line DEMO']);
    const [entry] = await entriesOf(world, tenantId);
    expect(entry).toMatchObject({
      actorKind: 'OPERATOR',
      actorId: `${userInfo().username}@${hostname()}`,
      actorRole: null,
      ip: null,
    });
    expect(detailsIn(entry)).toMatchObject({
      input: { tenant: tenantId, name: 'Shop' },
      changes: [{ before: { name: 'Demo' }, after: { name: 'Shop' } }],
    });
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it('has the first entry of a tenant that is made there, and none of a list', async () => {
    const id = `${tenant.tenantId.slice(0, -2)}_C`;
    expect(await recorded(id, 'tenant', 'create', '--id', id, '--name', 'New')).toEqual([
      `cli tenant create: tenant ${id}`,
    ]);
    expect(await recorded(id, 'product-line', 'list', '--tenant', id)).toEqual([]);
  });

  it('has an entry of each token that is made, also where no row changes', async () => {
    const { tenantId } = tenant;
    const its = ['--tenant', tenantId];
    const { id } = await world.services.nodes.create(tenantId, { name: 'N', address: 'n.example' });
    const user = await world.services.users.ensureUser(tenantId, 'alice');
    expect(await recorded(tenantId, 'token', ...its, '--user', 'eve', '--role', 'OWNER')).toEqual([
      'cli token: staff eve',
    ]);
    expect(await recorded(tenantId, 'token', ...its, '--user', 'alice')).toEqual([
      `cli token: user ${user.id}`,
    ]);
    expect(await recorded(tenantId, 'node', 'token', ...its, '--id', id)).toEqual([
      `cli node token: subscription_node ${id}`,
    ]);
  });

  it('has an entry of codes that leave, and one for each end of a file', async () => {
    const { tenantId } = tenant;
    const its = ['--tenant', tenantId];
    const { campaignId, codes } = await seedCampaign(world, tenant, 2);
    const [batch] = (
      await world.services.codeReader.batches(tenantId, { campaignId }, { offset: 0, size: 1 })
    ).items;
    const batchId = batch?.id ?? '';
    expect(await recorded(tenantId, 'codes', 'export', ...its, '--batch', batchId)).toEqual([
      `cli codes export: code_batch ${batchId}`,
    ]);
    expect(await recorded(tenantId, 'codes', 'fetch', ...its, '--batch', batchId)).toEqual([
      `cli codes fetch: code_batch ${batchId}`,
    ]);
    const file = join(folder, 'codes.csv');
    await writeFile(file, `code\n${foreignCodes(1200).join('\n')}\n`);
    const importing = ['codes', 'import', ...its, '--campaign', campaignId, '--file', file, '--key', 'k'];
    const entries = await recorded(tenantId, ...importing);
    expect(entries.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      'cli codes import: code_batch',
      'cli codes import: code_import',
    ]);
    const redeeming = ['redeem', ...its, '--user', 'bob', '--product', 'DEMO', codes[0] ?? ''];
    expect(await recorded(tenantId, ...redeeming)).toEqual(['cli redeem: user bob']);
    const rows = JSON.stringify(await entriesOf(world, tenantId));
    expect(codes.some((code) => rows.includes(code))).toBe(false);
  });

  it('has one entry of a compensation, where it corrects something, and of a recount', async () => {
    const scene = await makeScene(world);
    const { tenantId } = scene;
    const its = ['--tenant', tenantId];
    const spoil = async (): Promise<unknown> =>
      world.stores.redis.hset(scene.key(`code:${scene.codes[1].codeDigest}`), 'used', '2');
    await spoil();
    expect(await recorded(tenantId, 'compensate', ...its)).toEqual([`cli compensate: tenant ${tenantId}`]);
    expect(await recorded(tenantId, 'compensate', ...its)).toEqual([]);
    await scene.sql('update redemption_total set total = total + 5 where tenant_id = ?', [tenantId]);
    const count = (await recorded(tenantId, 'recount', ...its)).length;
    const recounts = (await entriesOf(world, tenantId)).slice(-count);
    expect(recounts.map(({ operation }) => operation)).toEqual(recounts.map(() => 'cli recount'));
    expect(recounts.map((entry) => detailsIn(entry)?.rows)).toContainEqual({
      redemption_total: expect.any(Number) as number,
    });
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it('has an entry of a redrive, and of a whole campaign', async () => {
    const { tenantId, planId } = tenant;
    const its = ['--tenant', tenantId];
    expect(await recorded(tenantId, 'pending', 'redrive', ...its, '--all')).toEqual([
      'cli pending redrive: dead_letter all',
    ]);
    const example = new URL('../../docs/examples/', import.meta.url);
    const rule = ['--rule', `${example.pathname}rule.json`, '--plan', planId];
    const campaign = ['campaign', 'create', ...its, '--name', 'C', ...rule, '--activate'];
    const before = (await entriesOf(world, tenantId)).length;
    const campaignId = await lineOf(cli(...campaign));
    const entries = (await entriesOf(world, tenantId)).slice(before);
    expect(new Set(entries.map(({ operation, targetId }) => `${operation} ${targetId}`))).toEqual(
      new Set([`cli campaign create ${campaignId}`]),
    );
  });
});
