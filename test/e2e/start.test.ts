import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { DemoFile } from '../../src/app/demo.js';
import { sampleOf } from '../../src/app/welcome.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { processesOn } from '../support/process-list.js';
import { spawnProcess, startProcess, type RunningProcess } from '../support/processes.js';
import { PATIENT } from '../support/world.js';

const run = promisify(execFile);

/** As after a fresh clone: no address of any server, no secret. */
const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-start-'));
const FRESH = {
  environment: { ...PATIENT, DATA_DIR: dataDir, JWT_SECRET: '', CODE_PEPPER: '', NODE_ENV: '' },
};

let running: RunningProcess | undefined;
let demo: DemoFile;
afterAll(async () => {
  await running?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function startFresh(): Promise<RunningProcess> {
  running = await startProcess(FRESH);
  demo = JSON.parse(readFileSync(path.join(dataDir, 'demo.json'), 'utf8')) as DemoFile;
  return running;
}

interface Redeemed {
  readonly redeemCode: {
    readonly status: string;
    readonly redemption: { readonly id: string; readonly userId: string } | null;
    readonly errors: readonly { readonly code: string }[];
  };
}

async function redeem(url: string, code: string, headers: Record<string, string> = {}) {
  const query = `mutation ($code: String!) {
    redeemCode(input: { code: $code }) { status redemption { id userId } errors { code } }
  }`;
  const answer = await graphqlRequest<Redeemed>(url, {
    query,
    variables: { code },
    token: demo.userToken,
    headers: { 'x-product-code': demo.productCode, ...headers },
  });
  if (!answer.data) throw new Error(JSON.stringify(answer.errors));
  return answer.data.redeemCode;
}

describe('X.13 npm start on a machine that has nothing', () => {
  let first: DemoFile;
  let spent: { readonly code: string; readonly redemptionId: string | undefined };

  it('X.13 starts private servers and writes a file with all that a client needs', async () => {
    const { url } = await startFresh();
    first = demo;
    expect(demo.url).toBe(url);
    expect(demo.codes.length).toBeGreaterThanOrEqual(100);
    expect(new Set(demo.codes).size).toBe(demo.codes.length);
    expect(demo.databaseUrl).toMatch(/^(mysql|mariadb):\/\/.+@127\.0\.0\.1:\d+\//);
    expect(demo.redisUrl).toMatch(/^redis:\/\/.+@127\.0\.0\.1:\d+/);
    for (const field of ['tenantId', 'productCode', 'userToken', 'staffToken', 'campaignId'] as const) {
      expect(demo[field]).toMatch(/./);
    }
    expect(processesOn(dataDir)).toHaveLength(2);
  });

  it('X.15 prints no token where its output is not a terminal, and names the file; tokens there last an hour', () => {
    const said = running?.said() ?? '';
    expect(said).toContain(`are in ${path.join(dataDir, 'demo.json')}.`);
    for (const token of [demo.userToken, demo.staffToken]) {
      expect(said).not.toContain(token);
      const [, claims = ''] = token.split('.');
      const { iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, number>;
      expect((exp ?? 0) - (iat ?? 0)).toBe(3600);
    }
  });

  it('leaves the demo to the staff: a plan that they have made does not stop the next start', async () => {
    const { data } = await graphqlRequest<{ createPlan: { plan: { id: string } | null } }>(demo.url, {
      query: 'mutation { createPlan(input: { name: "Own", unitPrice: "1", unitTime: DAY }) { plan { id } } }',
      token: demo.staffToken,
    });
    expect(data?.createPlan.plan?.id).toMatch(/^\d+$/);
  });

  it('X.13 prints a curl that redeems a code when pasted, and answers ALREADY_REDEEMED the second time', async () => {
    const sample = sampleOf(demo);
    const curl = sample.slice(sample.indexOf('\ncurl ') + 1);
    const answers = [];
    for (let time = 0; time < 2; time += 1) {
      const { stdout } = await run('bash', ['-c', curl]);
      answers.push((JSON.parse(stdout) as { data: Redeemed }).data.redeemCode);
    }
    const [one, two] = answers;
    expect(one).toMatchObject({ status: 'COMMITTED', errors: [] });
    expect(two).toMatchObject({ status: 'REFUSED', errors: [{ code: 'ALREADY_REDEEMED' }] });
    expect(two?.redemption?.id).toBe(one?.redemption?.id);
    spent = { code: demo.codes[0] ?? '', redemptionId: one?.redemption?.id };
  });

  it('X.13 every code of the file is unused, and the staff token is one of the tenant', async () => {
    for (const code of demo.codes.slice(1, 6))
      expect((await redeem(demo.url, code)).status).toBe('COMMITTED');
    const query = 'query ($id: ID!) { campaign(id: $id) { id status } }';
    const call = { query, variables: { id: demo.campaignId }, token: demo.staffToken };
    const answer = await graphqlRequest(demo.url, call);
    expect(answer.data).toEqual({ campaign: { id: demo.campaignId, status: 'ACTIVE' } });
  });

  it('X.13 X.14 a further process with the addresses of the file shares codes and secrets', async () => {
    const { databaseUrl, redisUrl } = demo;
    const api = await startProcess({ role: 'api', databaseUrl, redisUrl, ...FRESH });
    try {
      const code = demo.codes[6] ?? '';
      const there = await redeem(api.url, code);
      expect(there.status).toBe('COMMITTED');
      const here = await redeem(demo.url, code);
      expect(here).toMatchObject({ errors: [{ code: 'ALREADY_REDEEMED' }], redemption: there.redemption });
    } finally {
      await api.stop();
    }
  });

  it('S4.18 takes the identity from the token and from nothing else', async () => {
    const code = demo.codes[7] ?? '';
    const claims = { 'x-user-id': '1', 'x-tenant-id': 'OTHER', 'x-staff-id': 'boss' };
    const answer = await redeem(demo.url, code, claims);
    const own = await redeem(demo.url, spent.code);
    expect(answer.status).toBe('COMMITTED');
    expect(answer.redemption?.userId).toBe(own.redemption?.userId);
  });

  it('X.13 a second start on the same data is refused with exit status 1, and harms nothing', async () => {
    const second = spawnProcess(FRESH);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.said()).toContain(dataDir);
    expect(second.said()).not.toMatch(/\n\s+at /);
    expect((await redeem(demo.url, demo.codes[8] ?? '')).status).toBe('COMMITTED');
  });

  it('X.13 Ctrl-C finishes what is under way and leaves no process', async () => {
    const answers = demo.codes.slice(9, 40).map(async (code) => redeem(demo.url, code).catch(() => null));
    await answers[0];
    await running?.stop('SIGINT');
    running = undefined;
    const done = (await Promise.all(answers)).filter((answer) => answer !== null);
    expect(done.map(({ status }) => status)).toEqual(done.map(() => 'COMMITTED'));
    expect(done.length).toBeGreaterThan(0);
    expect(processesOn(dataDir)).toEqual([]);
  });

  it('X.13 the next start uses the same data', async () => {
    await startFresh();
    expect(demo.campaignId).toBe(first.campaignId);
    expect(demo.tenantId).toBe(first.tenantId);
    const again = await redeem(demo.url, spent.code);
    expect(again).toMatchObject({
      errors: [{ code: 'ALREADY_REDEEMED' }],
      redemption: { id: spent.redemptionId },
    });
    expect(demo.codes).not.toContain(spent.code);
    expect(demo.codes.length).toBeGreaterThanOrEqual(100);
    expect((await redeem(demo.url, demo.codes[0] ?? '')).status).toBe('COMMITTED');
  });
});
