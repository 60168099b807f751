import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { foreignCodes } from '../support/code-files.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let tenant: SeededTenant;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  tenant = await seedTenant(world);
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-code-files-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world?.close();
});

const cli = async (...args: string[]) => callCli(cliEnvironment(), args);
const its = () => ['--tenant', tenant.tenantId];
const fileOf = (name: string): string => path.join(folder, name);

describe('X.12 codes as files at the command line', () => {
  it('imports a file, writes which lines were refused, and changes nothing when it is run again', async () => {
    const { campaignId } = await seedCampaign(world, tenant, 1);
    writeFileSync(fileOf('in.csv'), ['code,use_limit', ...foreignCodes(1500), 'AB,1'].join('\n'));
    const call = [
      ...its(),
      '--campaign',
      campaignId,
      '--file',
      fileOf('in.csv'),
      '--key',
      'file-1',
      '--json',
    ];
    const first = await lineOf(cli('codes', 'import', ...call, '--report', fileOf('refused.csv')));
    expect(JSON.parse(first)).toMatchObject({ campaignId, linesDone: 1502, imported: 1500, refused: 1 });
    expect(readFileSync(fileOf('refused.csv'), 'utf8')).toBe('line,reason\r\n1502,CODE_TEXT_NOT_ALLOWED\r\n');
    const again = await cli('codes', 'import', ...call);
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first));
    expect(again.stderr).toContain('1 lines were refused');
  });

  it('exports what it has imported, leaves files alone that exist, and draws pictures', async () => {
    const { campaignId, codes } = await seedCampaign(world, tenant, 3);
    const scope = [...its(), '--campaign', campaignId];
    const csv = (await cli('codes', 'export', ...scope)).stdout;
    expect(
      csv
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',')[0]),
    ).toEqual(codes);
    await cli('codes', 'export', ...scope, '--out', fileOf('out.csv'));
    expect(readFileSync(fileOf('out.csv'), 'utf8')).toBe(csv);
    const taken = await refusalLineOf(cli('codes', 'export', ...scope, '--out', fileOf('out.csv')));
    expect(taken.line).toContain('exists already, and is not overwritten');
    await cli('codes', 'qr', ...scope, '--format', 'PNG', '--out', fileOf('codes.zip'));
    const zip = readFileSync(fileOf('codes.zip'));
    for (const code of codes) expect(zip.includes(`${code}.png`)).toBe(true);
    await cli('codes', 'qr', ...scope, '--format', 'SHEET', '--out', fileOf('codes.html'));
    expect(readFileSync(fileOf('codes.html'), 'utf8').match(/<svg /g)).toHaveLength(3);
  });

  it('says what is missing', async () => {
    const without = await refusalLineOf(cli('codes', 'export', ...its()));
    expect(without.line).toContain('Give --batch <id> or --campaign <id>.');
    const qr = [...its(), '--batch', '4711', '--out', fileOf('none.zip'), '--url', 'https://shop.example/'];
    expect((await refusalLineOf(cli('codes', 'qr', ...qr))).line).toContain('and holds {code}.');
    const call = [...its(), '--campaign', '4711', '--key', 'k', '--file'];
    const noFile = await refusalLineOf(cli('codes', 'import', ...call, fileOf('none.csv')));
    expect(noFile.line).toContain('none.csv cannot be read.');
    writeFileSync(fileOf('one.csv'), 'ABCD1234\n');
    const noCampaign = await refusalLineOf(cli('codes', 'import', ...call, fileOf('one.csv')));
    expect(noCampaign.line).toContain('CAMPAIGN_NOT_FOUND');
  });
});

it('S4.21 chosen codes, pool and allocation at the command line', async () => {
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const scope = [...its(), '--campaign', campaignId];
  const user = await world.services.users.createUserToken(tenant.tenantId, { externalUserId: 'carol' });
  await lineOf(cli('codes', 'add', ...scope, '--code', 'CLIWELCOME7', '--uses', '5'));
  expect(outcomeOf(await redeem(world, tenant.tenantId, user.userId, 'cli-welcome-7'))).toBe('COMMITTED');
  await lineOf(cli('codes', 'pool', ...scope, '--size', '4'));
  await world.services.pools.refill(tenant.tenantId, campaignId);
  const allocate = (externalId: string, key: string) =>
    cli('codes', 'allocate', ...scope, '--count', '2', '--user', externalId, '--key', key);
  const codes = (await lineOf(allocate('carol', 'order-7'))).split('\n');
  expect(codes).toHaveLength(2);
  expect((await lineOf(allocate('carol', 'order-7'))).split('\n')).toEqual(codes);
  expect(outcomeOf(await redeem(world, tenant.tenantId, user.userId, codes[0] ?? ''))).toBe('COMMITTED');
  const unknown = await refusalLineOf(allocate('nobody', 'order-8'));
  expect(unknown.line).toContain('USER_NOT_FOUND');
});
