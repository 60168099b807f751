import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { entriesOf } from '../support/audit.js';
import { callCli, type CliResult } from '../support/cli.js';
import { signedUser, signedUsers, staffToken, startBundled, type SignedUser } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { startOwnStores, type OwnStores } from '../support/own-stores.js';
import { spawnProcess, type RunningProcess } from '../support/processes.js';
import { pick, redeemOnce, type Redeemed } from '../support/redeemers.js';
import {
  emOf,
  openWorld,
  PATIENT,
  seedCampaign,
  seedTenant,
  TEST_SECRETS,
  type World,
} from '../support/world.js';

const OLD = { CODE_PEPPER: TEST_SECRETS.codePepper, JWT_SECRET: TEST_SECRETS.jwtSecret };
const NEW = { CODE_PEPPER: 'q'.repeat(40), JWT_SECRET: 'k'.repeat(40) };
/** Tokens of both secrets are taken by all, as the documents say to begin. */
const BEFORE = { ...OLD, JWT_SECRET_PREVIOUS: NEW.JWT_SECRET };
const BETWEEN = { ...NEW, CODE_PEPPER_PREVIOUS: OLD.CODE_PEPPER, JWT_SECRET_PREVIOUS: OLD.JWT_SECRET };

let stores: OwnStores;
let world: World;
beforeAll(async () => {
  stores = await startOwnStores();
});
afterAll(async () => {
  await Promise.all([...running].map(async (each) => each.kill()));
  await world?.close();
  await stores?.close();
});

const running = new Set<RunningProcess>();

async function start(environment: Readonly<Record<string, string>>): Promise<RunningProcess> {
  const { databaseUrl, redisUrl } = stores;
  const process = await startBundled({ databaseUrl, redisUrl, environment: { ...PATIENT, ...environment } });
  running.add(process);
  return process;
}

async function stop(process: RunningProcess): Promise<void> {
  running.delete(process);
  await process.stop();
}

async function cli(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<CliResult> {
  const urls = { DATABASE_URL: stores.databaseUrl, REDIS_URL: stores.redisUrl };
  return callCli({ NODE_ENV: 'test', ...PATIENT, ...urls, ...environment }, args);
}

/** Every code is tried by several users at once, each through another process. */
async function race(
  urls: readonly string[],
  codes: readonly string[],
  users: readonly SignedUser[],
): Promise<Redeemed[]> {
  const tries = codes.flatMap((code) =>
    users.map((user, at) => ({ code, user, url: urls[at % urls.length] ?? '' })),
  );
  return Promise.all(tries.map(async ({ url, code, user }) => redeemOnce(url, { user, code })));
}

/** Counts the outcomes; a loser is answered CODE_EXHAUSTED or CODE_HELD. */
function tally(answers: readonly Redeemed[]): { committed: number; lost: number; other: string[] } {
  const outcomes = answers.map(({ outcome }) => outcome);
  const lost = new Set(['CODE_EXHAUSTED', 'CODE_HELD']);
  return {
    committed: outcomes.filter((outcome) => outcome === 'COMMITTED').length,
    lost: outcomes.filter((outcome) => lost.has(outcome)).length,
    other: outcomes.filter((outcome) => outcome !== 'COMMITTED' && !lost.has(outcome)),
  };
}

async function usesOf(tenantId: string): Promise<{ used: number; rows: number; overused: number }> {
  const em = emOf(world, tenantId);
  const codes = await em.find(Code, {}, { disableIdentityMap: true });
  const [row]: { rows: number }[] = await em.execute(
    `select count(*) as \`rows\` from redemption where tenant_id = ? and status = 'COMMITTED'`,
    [tenantId],
  );
  return {
    used: codes.reduce((sum, { used }) => sum + used, 0),
    rows: row?.rows ?? -1,
    overused: codes.filter(({ useLimit, used }) => useLimit > 0 && used > useLimit).length,
  };
}

async function keysOf(tenantId: string, campaignId: string): Promise<number[]> {
  const rows: { keyId: number }[] = await emOf(world, tenantId).execute(
    'select distinct digest_key_id as keyId from code where tenant_id = ? and campaign_id = ? order by 1',
    [tenantId, campaignId],
  );
  return rows.map(({ keyId }) => keyId);
}

async function generate(url: string, token: string, campaignId: string): Promise<string[]> {
  const query = `mutation { generateCodes(input: { campaignId: "${campaignId}", count: 4 }) { codes errors { code } } }`;
  const { data } = await graphqlRequest<{ generateCodes: { codes: string[] } }>(url, { query, token });
  return data?.generateCodes.codes ?? [];
}

async function deleteCodes(url: string, token: string, tenantId: string, campaignId: string): Promise<void> {
  const codes = await emOf(world, tenantId).find(Code, { campaignId }, { fields: ['id'] });
  const query = `mutation ($codeIds: [ID!]!) { deleteCodes(input: { codeIds: $codeIds }) { deleted errors { code } } }`;
  const { data } = await graphqlRequest(url, {
    query,
    token,
    variables: { codeIds: codes.map(({ id }) => id) },
  });
  expect(data).toEqual({ deleteCodes: { deleted: codes.length, errors: [] } });
}

describe('X.21 rotation of the pepper and of the secret of tokens', () => {
  it('refuses no user and gives no code twice, before, during and after', { timeout: 300_000 }, async () => {
    const both = { CODE_PEPPER_PREVIOUS: NEW.CODE_PEPPER };
    world = await openWorld({}, stores);
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId, codes } = await seedCampaign(world, tenant, 60);
    const shared = await seedCampaign(world, tenant, 1, { rule: { useLimit: 5 } });
    const hashed = await seedCampaign(world, tenant, 4, { campaign: { codeVisibility: 'HASHED' } });
    const users = await signedUsers(world, tenantId, 8);
    const staff = staffToken(world, tenantId);
    const last = await signedUser(world, tenantId);
    await world.close();

    // Processes of the old and the new configuration, side by side.
    const a = await start(BEFORE);
    const b = await start(BETWEEN);
    const first = await race([a.url, b.url], codes.slice(0, 12), users);
    expect(tally(first)).toEqual({ committed: 12, lost: 84, other: [] });
    const five = await race([a.url, b.url], shared.codes, users);
    expect(tally(five)).toEqual({ committed: 5, lost: 3, other: [] });
    const early = await generate(b.url, staff, campaignId);
    expect(tally(await race([a.url], early.slice(0, 1), users))).toMatchObject({ committed: 1, other: [] });
    const key = 'kept over the rotation'.replaceAll(' ', '-');
    const keyed = await redeemOnce(b.url, { user: pick(users, 0), code: codes[12] ?? '', key });
    expect(keyed.outcome).toBe('COMMITTED');
    const waits = await cli(BETWEEN, 'redigest');
    expect([waits.status, waits.stderr]).toEqual([1, expect.stringContaining('do not know the new pepper')]);

    // All know both: new codes get the new pepper, and old ones are moved while they are redeemed.
    await stop(a);
    const c = await start(BETWEEN);
    world = await openWorld(both, stores);
    expect(await keysOf(tenantId, campaignId)).toEqual([1]);
    const late = await generate(c.url, staff, campaignId);
    expect(await keysOf(tenantId, campaignId)).toEqual([1, 2]);
    const during: Redeemed[] = [];
    const racing = (async () => {
      for (const code of codes.slice(13, 40)) {
        during.push(...(await race([b.url, c.url], [code], users)));
        await pause(10);
      }
    })();
    const moved = await cli(BETWEEN, 'redigest');
    await racing;
    expect(tally(during)).toEqual({ committed: 27, lost: 27 * 7, other: [] });
    expect([moved.status, moved.stderr]).toEqual([0, '']);
    expect(moved.stdout).toMatch(/^Moved \d+ codes .*\nKeep CODE_PEPPER_PREVIOUS/);
    expect(await entriesOf(world, tenantId)).toContainEqual(
      expect.objectContaining({ operation: 'cli redigest', actorKind: 'OPERATOR', targetType: 'code' }),
    );
    expect(await keysOf(tenantId, campaignId)).toEqual([2]);
    expect(await keysOf(tenantId, hashed.campaignId)).toEqual([1]);
    const hash = await race([b.url, c.url], hashed.codes.slice(0, 2), users);
    expect(tally(hash)).toEqual({ committed: 2, lost: 14, other: [] });
    const again = await redeemOnce(c.url, { user: pick(users, 0), code: codes[12] ?? '', key });
    expect(again.redemption).toEqual(keyed.redemption);

    // The old pepper goes when nothing needs it, and not before.
    const { databaseUrl, redisUrl } = stores;
    const refused = spawnProcess({ databaseUrl, redisUrl, environment: NEW });
    expect((await refused.exited).code).toBe(1);
    expect(refused.said()).toMatch(/^Codes still need a pepper that is not configured \(key 1\)\.[^\n]*\n$/);
    await deleteCodes(c.url, staff, tenantId, hashed.campaignId);
    expect((await cli(BETWEEN, 'redigest')).stdout).toBe(
      'Moved 0 codes to the current pepper.\nNo code needs a previous pepper: CODE_PEPPER_PREVIOUS can go.\n',
    );
    const d = await start({ ...NEW, JWT_SECRET_PREVIOUS: OLD.JWT_SECRET });
    const end = await race([b.url, d.url], [...codes.slice(40), ...late], users);
    expect(tally(end)).toEqual({ committed: 24, lost: 24 * 7, other: [] });
    const once = await redeemOnce(d.url, { user: pick(users, 0), code: codes[12] ?? '', key });
    expect(once.redemption).toEqual(keyed.redemption);
    expect((await redeemOnce(d.url, { user: last, code: early[1] ?? '' })).outcome).toBe('COMMITTED');

    const total = 12 + 5 + 1 + 1 + 27 + 2 + 24 + 1;
    expect(await usesOf(tenantId)).toEqual({ used: total, rows: total, overused: 0 });
    const report = await world.services.reconciler.run({ tenantId, repair: false });
    expect(report.checks.filter(({ count }) => count > 0)).toEqual([]);
    const outdated = await cli(OLD, 'reconcile');
    expect([outdated.status, outdated.stderr]).toEqual([
      2,
      expect.stringContaining('The pepper was rotated'),
    ]);
  });
});
