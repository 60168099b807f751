import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli, cliEnvironment, lineOf, refusalLineOf, runCli } from '../support/cli.js';
import { openWorld, seedCampaign, seedTenant, type SeededTenant, type World } from '../support/world.js';

let folder = '';
let world: World;
let tenant: SeededTenant;
let environment: Record<string, string>;

const cli = async (...args: string[]) => callCli(environment, args);
const inFolder = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-cli-'));
  environment = { ...cliEnvironment(), DATA_DIR: inFolder('data') };
  world = await openWorld();
  tenant = await seedTenant(world);
});

afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const ruleText = (): string =>
  JSON.stringify({
    ruleId: 'cli',
    codeType: 'RANDOM_ALPHANUM',
    length: 16,
    rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId }],
  });

describe('a whole life by hand', () => {
  it('goes from a tenant to a redeemed code', async () => {
    const tenantId = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
    const created = lineOf(cli('tenant', 'create', '--id', tenantId, '--name', 'By hand', '--quota', '5'));
    expect(await created).toBe(tenantId);
    expect(await world.services.tenants.find(tenantId)).toMatchObject({
      type: 'CHANNEL',
      codeQuota: 5,
      codesIssued: 0,
    });
    const its = ['--tenant', tenantId];
    const line = cli('product-line', 'create', ...its, '--code', 'APP_A', '--name', 'App A', '--hour', '100');
    expect(await lineOf(line)).toBe('APP_A');
    expect(await world.services.lines.list(tenantId)).toMatchObject([
      { code: 'APP_A', hourLimit: 100, dayLimit: null },
    ]);
    const made = cli(
      'plan',
      'create',
      ...its,
      '--name',
      'Monthly',
      '--unit',
      'MONTH',
      '--price',
      '9.90',
      '--traffic',
      '7',
    );
    const planId = await lineOf(made);
    expect(await world.services.plans.find(tenantId, planId)).toMatchObject({
      trafficBytes: 7,
      inventory: -1,
      show: true,
    });

    const rule = ruleText().replace(tenant.planId, planId);
    const create = ['campaign', 'create', ...its, '--name', 'Welcome', '--activate', '--key', 'c', '--rule'];
    const campaignId = await lineOf(runCli(environment, [...create, '-'], rule));
    writeFileSync(inFolder('welcome.json'), rule);
    expect(await lineOf(cli(...create, inFolder('welcome.json')))).toBe(campaignId);
    const generate = ['codes', 'generate', ...its, '--campaign', campaignId, '--count', '3', '--key', 'g'];
    const codes = await lineOf(cli(...generate));
    expect(codes).toMatch(/^(?:[0-9A-Z-]{16,}\n){2}[0-9A-Z-]{16,}$/);
    expect(await lineOf(cli(...generate))).toBe(codes);
    const [code = ''] = codes.split('\n');
    const redeem = async (user: string) => cli('redeem', ...its, '--user', user, '--product', 'APP_A', code);

    const first = await redeem('alice');
    expect(first).toMatchObject({ status: 0, stderr: '' });
    const answer = JSON.parse(first.stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      status: 'COMMITTED',
      redemption: { useNo: 1, campaignId, rewards: [{ type: 'SUBSCRIPTION', sourceId: planId }] },
      refusal: null,
    });
    const second = await redeem('bob');
    expect(second).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(second.stdout)).toMatchObject({
      status: 'REFUSED',
      refusal: { code: 'CODE_EXHAUSTED' },
    });
  });
});

describe('token', () => {
  it('prints a token of a user, and makes the user once', async () => {
    const ask = async () => lineOf(cli('token', '--tenant', tenant.tenantId, '--user', 'u-1', '--ttl', '2h'));
    const token = await ask();
    const { userId } = await world.services.users.createUserToken(tenant.tenantId, { externalUserId: 'u-1' });
    expect(world.services.tokens.verify(token)).toEqual({ kind: 'USER', tenantId: tenant.tenantId, userId });
    expect(lifetimeOf(token)).toBe(7200);
    expect(world.services.tokens.verify(await ask())).toMatchObject({ userId });
  });

  it('prints a token of a member of staff, for a quarter of an hour', async () => {
    const token = await lineOf(
      cli('token', '--tenant', tenant.tenantId, '--user', 'eve', '--role', 'AUDITOR'),
    );
    expect(world.services.tokens.verify(token)).toEqual({
      kind: 'STAFF',
      tenantId: tenant.tenantId,
      staffId: 'eve',
      role: 'AUDITOR',
    });
    expect(lifetimeOf(token)).toBe(900);
  });

  it('is refused for a tenant that does not exist', async () => {
    const answer = await refusalLineOf(cli('token', '--tenant', 'T_NOBODY', '--user', 'eve'));
    expect(answer).toEqual({
      status: 1,
      line: expect.stringMatching(/^TENANT_NOT_FOUND: There is no tenant "T_NOBODY"\. /) as string,
    });
  });

  it('says in one line what a time to live looks like', async () => {
    const answer = await refusalLineOf(cli('token', '--tenant', 'T', '--user', 'eve', '--ttl', '3 weeks'));
    expect(answer.status).toBe(2);
    expect(answer.line).toContain('Give a time such as 15m, 2h, 7d');
  });
});

describe('codes generate', () => {
  it('writes many codes, made as one batch, to a new file that is the owner’s alone', async () => {
    const { campaignId } = await seedCampaign(world, tenant, 1);
    const file = inFolder('codes.txt');
    const generate = ['codes', 'generate', '--tenant', tenant.tenantId, '--campaign', campaignId];
    const many = [...generate, '--count', '10002', '--key', 'many', '--out', file];
    expect(await cli(...many)).toEqual({ stdout: '', stderr: '', status: 0 });
    const codes = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(new Set(codes).size).toBe(10_002);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const wanted = { campaignId, count: 10_002, idempotencyKey: 'many' };
    const { batch, replayed } = await world.services.generation.generate(tenant.tenantId, wanted);
    expect([replayed, batch.status, batch.generated]).toEqual([true, 'READY', 10_002]);
    const fetched = await cli('codes', 'fetch', '--tenant', tenant.tenantId, '--batch', batch.id);
    expect(fetched.stdout.trimEnd().split('\n')).toEqual(codes);
    const again = await refusalLineOf(cli(...many));
    expect(again).toEqual({ status: 1, line: `${file} exists already, and is not overwritten.` });
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(codes);
  });

  it('leaves no file where no code was made', async () => {
    const file = inFolder('none.txt');
    const refused = cli(
      'codes',
      'generate',
      '--tenant',
      tenant.tenantId,
      '--campaign',
      '5',
      '--count',
      '3',
      '--out',
      file,
    );
    expect((await refusalLineOf(refused)).line).toMatch(/^CAMPAIGN_NOT_FOUND: /);
    expect(existsSync(file)).toBe(false);
  });

  it('prints codes of a HASHED campaign one more time for the same key, then no more', async () => {
    const { campaignId } = await seedCampaign(world, tenant, 1, { campaign: { codeVisibility: 'HASHED' } });
    const generate = [
      'codes',
      'generate',
      '--tenant',
      tenant.tenantId,
      '--campaign',
      campaignId,
      '--count',
      '2',
    ];
    const codes = await lineOf(cli(...generate, '--key', 'hashed'));
    expect(codes.split('\n')).toHaveLength(2);
    expect(await lineOf(cli(...generate, '--key', 'hashed'))).toBe(codes);
    const again = await refusalLineOf(cli(...generate, '--key', 'hashed'));
    expect(again.line).toContain('the campaign does not keep them');
  });
});

describe('codes generate, of a large batch of a HASHED campaign', () => {
  it('X.8 prints the codes once, and the same call and `codes fetch` print no code again', async () => {
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1, { campaign: { codeVisibility: 'HASHED' } });
    const its = ['--tenant', tenantId, '--campaign', campaignId];
    const generate = ['codes', 'generate', ...its, '--count', '10001', '--key', 'large'];
    const codes = (await lineOf(cli(...generate))).split('\n');
    expect(new Set(codes).size).toBe(10_001);
    const again = await refusalLineOf(cli(...generate));
    expect(again.line).toMatch(/^0 of the 10001 codes of batch \d+ were written: /);
    const { items } = await world.services.codeReader.batches(
      tenantId,
      { campaignId },
      { offset: 0, size: 1 },
    );
    const fetched = await refusalLineOf(
      cli('codes', 'fetch', '--tenant', tenantId, '--batch', items[0]?.id ?? ''),
    );
    expect(fetched.line).toBe(again.line);
  });
});

describe('campaign create', () => {
  const create = async (file: string) =>
    cli('campaign', 'create', '--tenant', tenant.tenantId, '--name', 'C', '--rule', file);

  it('names a rule file that is not there', async () => {
    expect(await refusalLineOf(create('/no/such.json'))).toEqual({
      status: 1,
      line: 'There is no file /no/such.json.',
    });
  });

  it('names the place of a mistake in the rule file', async () => {
    const file = inFolder('bad.json');
    writeFileSync(file, '{\n  "ruleId": x\n}');
    const line = `${file} is not JSON: Unexpected token 'x' at line 2, column 13.`;
    expect(await refusalLineOf(create(file))).toEqual({ status: 1, line });
  });

  it('answers a rule that is refused by its code', async () => {
    const file = inFolder('refused.json');
    writeFileSync(file, ruleText().replace('16', '99'));
    expect((await refusalLineOf(create(file))).line).toMatch(/^RULE_NOT_ALLOWED: rule\.length /);
  });
});

describe('what goes wrong outside', () => {
  it('is printed in one line without a stack, and with it under --verbose', async () => {
    const DATABASE_URL = 'mariadb://root:hush-hush@127.0.0.1:1/x';
    const elsewhere = { ...environment, DATABASE_URL, START_WAIT_MS: '0' };
    const { line, status } = await refusalLineOf(callCli(elsewhere, ['migrate']));
    expect({ line, status }).toEqual({
      status: 1,
      line: 'At 127.0.0.1:1 the database does not answer: start it, or correct DATABASE_URL.',
    });
    const verbose = await callCli(elsewhere, ['migrate', '--verbose']);
    expect(verbose).toMatchObject({ status: 1, stdout: '' });
    expect(verbose.stderr).toMatch(/\n\s+at /);
    expect(verbose.stderr).not.toContain('hush-hush');
  });

  it('names a wrong setting, and not its value', async () => {
    const { line, status } = await refusalLineOf(
      callCli({ ...environment, JWT_SECRET: 'hush-hush' }, ['migrate']),
    );
    expect({ line, status }).toEqual({
      status: 1,
      line: 'Wrong settings in the environment: JWT_SECRET must have at least 32 characters.',
    });
  });
});

function lifetimeOf(token: string): number {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    number
  >;
  return Number(claims['exp']) - Number(claims['iat']);
}
