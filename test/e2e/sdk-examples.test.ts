import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PAGE_WAIT_MS, startBrowser } from '../support/browser.js';
import { standingCluster, type Cluster } from '../support/cluster.js';
import { buildSdk, post, startExample, type Example } from '../support/example.js';
import { seedKey } from '../support/partners.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const WEB = path.resolve('examples/web');

let cluster: Cluster;
let line: TcpForwarder;
let folder: string;
let tenantId: string;
let codes: readonly string[];
let environment: Record<string, string>;
let partner: Example;
beforeAll(async () => {
  buildSdk();
  cluster = await standingCluster();
  line = await TcpForwarder.start(Number(new URL(cluster.urls[0]).port));
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-examples-'));
  const { world } = cluster;
  const tenant = await seedTenant(world);
  ({ tenantId } = tenant);
  const campaign = await seedCampaign(world, tenant, 10);
  ({ codes } = campaign);
  await world.services.pools.set(tenantId, { campaignId: campaign.campaignId, size: 10 });
  await world.services.pools.refill(tenantId, campaign.campaignId);
  const scopes = ['redeem', 'codes:sell', 'redemptions:read'] as const;
  const { key, partnerId } = await seedKey(world, tenantId, { scopes });
  const manifest = readFileSync('sdk/operations.json', 'utf8');
  await world.services.registeredOperations.register(tenantId, 'eve', { partnerId, manifest });
  environment = {
    REDEEMKIT_URL: `http://127.0.0.1:${line.port}`,
    REDEEMKIT_API_KEY: key,
    REDEEMKIT_PRODUCT: 'DEMO',
    REDEEMKIT_CAMPAIGN: campaign.campaignId,
  };
  partner = await startExample('partner/server.mjs', environment);
});
afterAll(async () => {
  await partner?.kill();
  await line?.close();
  rmSync(folder, { recursive: true, force: true });
  await cluster?.close();
});

const committed = async (): Promise<number> => (await truthOf(cluster.world, tenantId)).committed.length;

describe("the example of a partner's server", () => {
  it('sells a code once for each order, and redeems it for a user', async () => {
    const sell = async (order: string) => post<{ code: string }>(`${partner.url}/sell`, 'alice', { order });
    const { code } = await sell('order-1');
    expect(await sell('order-1')).toEqual({ code });
    expect((await sell('order-2')).code).not.toBe(code);
    const redeem = async (user: string, order: string) =>
      post<object>(`${partner.url}/redeem`, user, { code, order });
    const result = await redeem('alice', 'order-1');
    expect(result).toMatchObject({ status: 'COMMITTED', idempotencyKey: 'order-1' });
    expect(await redeem('alice', 'order-1')).toEqual(result);
    expect(await redeem('bob', 'order-1')).toMatchObject({ status: 'REFUSED', code: 'CODE_EXHAUSTED' });
    expect(await committed()).toBe(1);
  });
});

describe('the example of a dashboard', () => {
  /** What a page is told first. */
  async function shownBy({ url }: Example): Promise<{ committed: number; connection: string }> {
    const { body } = await fetch(`${url}/events`);
    for await (const chunk of body ?? []) {
      const text = Buffer.from(chunk as Uint8Array).toString();
      return JSON.parse(text.replace('data: ', '')) as { committed: number; connection: string };
    }
    throw new Error('The dashboard tells nothing.');
  }

  it('counts each redemption once, also those that happen while it is killed', async () => {
    const settings = { ...environment, STATE_FILE: path.join(folder, 'dashboard.json') };
    const first = await startExample('dashboard/server.mjs', settings);
    const [one = '', other = ''] = codes;
    await post(`${partner.url}/redeem`, 'carol', { code: one, order: 'c-1' });
    const before = await committed();
    await expect.poll(async () => (await shownBy(first)).committed).toBe(before);
    await first.kill();
    await post(`${partner.url}/redeem`, 'carol', { code: other, order: 'c-2' });
    const again = await startExample('dashboard/server.mjs', settings);
    await expect.poll(async () => (await shownBy(again)).committed).toBe(before + 1);
    expect((await shownBy(again)).connection).toBe('OPEN');
    await again.kill();
  });
});

describe('the example of a web page', () => {
  let browser: Browser;
  let pages: PreviewServer;
  beforeAll(async () => {
    browser = await startBrowser();
    vi.stubEnv('REDEEMKIT_URL', environment['REDEEMKIT_URL']);
    vi.stubEnv('PARTNER_URL', partner.url);
    const outDir = path.join(folder, 'web');
    // Connections that are cut are what the test does, and nothing to report.
    const settings = { root: WEB, logLevel: 'silent' } as const;
    await build({ ...settings, build: { outDir, emptyOutDir: true } });
    pages = await preview({ ...settings, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });

  async function openPage(user: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(PAGE_WAIT_MS);
    // The partner's server makes its token by the line that a test cuts.
    const session = page.waitForResponse('**/session');
    await page.goto(`${pages.resolvedUrls?.local[0] ?? ''}?user=${user}`);
    await session;
    return page;
  }

  async function submit(page: Page, code = ''): Promise<void> {
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button').click();
  }

  const says = async (page: Page): Promise<string | null> => page.getByRole('status').textContent();
  const listed = async (page: Page): Promise<string[]> => page.getByRole('listitem').allTextContents();

  it('redeems, and shows what the server pushes', async () => {
    const page = await openPage('dave');
    await submit(page, codes[2]);
    await expect.poll(async () => says(page)).toBe('Redeemed.');
    await expect.poll(async () => listed(page)).toMatchObject([expect.stringContaining('COMMITTED')]);
    await submit(page, codes[2]);
    await expect.poll(async () => says(page)).toContain('redeemed');
    expect(await listed(page)).toHaveLength(1);
    await page.context().close();
  });

  it('X.25 goes on after a reload in the middle of a redemption, and redeems once', async () => {
    const page = await openPage('erin');
    const before = await committed();
    await expect.poll(async () => page.evaluate('document.readyState')).toBe('complete');
    line.mute(true);
    line.cut();
    await submit(page, codes[3]);
    await expect.poll(async () => says(page)).toBe('Redeeming …');
    const noted = async () => page.evaluate(() => localStorage.getItem('redeemkit.pending'));
    await expect.poll(noted).toContain(codes[3]);
    line.mute(false);
    line.cut();
    await page.reload();
    await expect.poll(async () => says(page)).toBe('Redeemed.');
    await expect.poll(async () => listed(page)).toHaveLength(1);
    expect(await noted()).toBeNull();
    expect(await committed()).toBe(before + 1);
    await page.context().close();
  });
});
