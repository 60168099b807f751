import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type * as devices from '../../sdk/src/devices.js';
import type * as encryption from '../../sdk/src/encryption.js';
import type * as index from '../../sdk/src/index.js';
import type * as subscriptions from '../../sdk/src/subscriptions.js';
import { PAGE_WAIT_MS, startBrowser } from '../support/browser.js';
import { standingCluster, type Cluster } from '../support/cluster.js';
import { seedDeviceTenant } from '../support/devices.js';
import { encryptingTenant, SECRET } from '../support/envelope-world.js';
import type { RunningProcess } from '../support/processes.js';
import { expectAtRest, truthOf } from '../support/truth.js';

const SOURCES = path.resolve('sdk/src');
const ENTRIES = ['index', 'devices', 'encryption', 'subscriptions'];

/** What the script in the pages gives. */
type Sdk = typeof index & typeof devices & typeof encryption & typeof subscriptions;

let cluster: Cluster;
/** Redeemkit on another origin than that of the pages. */
let server: RunningProcess;
let browser: Browser;
let context: BrowserContext;
let script: string;
beforeAll(async () => {
  cluster = await standingCluster();
  server = await cluster.further({ CORS_ORIGINS: cluster.urls[0] });
  browser = await startBrowser();
  script = await scriptOf(ENTRIES.map((name) => `export * from '${SOURCES}/${name}.ts';`).join('\n'));
});
afterEach(async () => context.close());
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await cluster?.close();
});

async function scriptOf(program: string): Promise<string> {
  const bundle = await rolldown({
    input: 'program',
    platform: 'browser',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? program : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'sdk', minify: true });
  await bundle.close();
  return output[0].code;
}

/** A page of its own site, which only lends it an origin. */
async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(cluster.urls[0]);
  await page.addScriptTag({ content: script });
  return page;
}

async function openBrowser(): Promise<string[]> {
  context = await browser.newContext({ bypassCSP: true });
  context.setDefaultTimeout(PAGE_WAIT_MS);
  const sent: string[] = [];
  context.on('request', (request) => sent.push(request.postData() ?? ''));
  return sent;
}

describe('the SDK in a browser', () => {
  it('S4.18 redeems on another origin, encrypted, and hears of it', async () => {
    const sent = await openBrowser();
    const tenant = await encryptingTenant(cluster.world, 2);
    const page = await openPage();
    const given = {
      url: server.url,
      tenantId: tenant.tenantId,
      token: tenant.user.token,
      codes: tenant.codes,
      secret: SECRET,
    };
    const told = await page.evaluate(async ({ url, tenantId, token, codes, secret }) => {
      const { createClient, createSubscriptions, envelopes } = (globalThis as unknown as { sdk: Sdk }).sdk;
      const connection = { url, tenantId, token, productCode: 'DEMO', env: 'web', deviceId: 'tab' } as const;
      const encryption = envelopes({ keyId: 'k1', secret });
      const client = createClient({ ...connection, encryption });
      const stream = createSubscriptions(connection).onRedemptionSettled({ after: '0' });
      const results = [];
      for (const code of codes) results.push(await client.redeemCode(code));
      const events = [];
      for await (const event of stream) if (events.push(event) === codes.length) break;
      const refused: unknown = await createClient({ ...connection, token: 'none' })
        .myPoints()
        .catch((error: unknown) => (error as { code: string }).code);
      return { results, events, refused };
    }, given);
    expect(told.results.map(({ status }) => status)).toEqual(['COMMITTED', 'COMMITTED']);
    const ids = told.results.map((result) => (result.status === 'COMMITTED' ? result.redemption.id : ''));
    expect(told.events.map(({ redemptionId }) => redemptionId)).toEqual(ids);
    expect(told.refused).toBe('UNAUTHENTICATED');
    expect(sent.join('\n')).not.toContain(tenant.codes[0]);
    expect((await truthOf(cluster.world, tenant.tenantId)).committed).toHaveLength(2);
    await expectAtRest(cluster.world, tenant.tenantId);
  });

  it('keeps a device signed in over two tabs that refresh at once', async () => {
    const sent = await openBrowser();
    const { tenantId } = await seedDeviceTenant(cluster.world);
    const given = { url: server.url, tenantId };
    const [one, other] = [await openPage(), await openPage()];
    const userId = await one.evaluate(async (options) => {
      const { deviceSession } = (globalThis as unknown as { sdk: Sdk }).sdk;
      const store = (globalThis as unknown as { localStorage: Storage }).localStorage;
      return (await deviceSession({ ...options, env: 'web', store }).signIn()).userId;
    }, given);
    const refresh = async (page: Page) =>
      page.evaluate(async (options) => {
        const { createClient, deviceSession } = (globalThis as unknown as { sdk: Sdk }).sdk;
        const store = (globalThis as unknown as { localStorage: Storage }).localStorage;
        const device = deviceSession({ ...options, env: 'web', store });
        const refused = await device.token({ refused: null, code: null });
        await device.token({ refused, code: 'UNAUTHENTICATED' });
        return createClient({ url: options.url, env: 'web', token: device.token }).myPoints();
      }, given);
    expect(await Promise.all([refresh(one), refresh(other)])).toMatchObject([{ balance: 0 }, { balance: 0 }]);
    expect(await one.evaluate(() => 'locks' in navigator)).toBe(true);
    const refreshes = sent.filter((body) => body.includes('"operationName":"RefreshDeviceSession"'));
    expect(refreshes.length).toBeLessThanOrEqual(2);
    expect(sent.filter((body) => body.includes('"operationName":"DeviceLogin"'))).toHaveLength(1);
    expect(userId).toMatch(/^\d+$/);
  });
});
