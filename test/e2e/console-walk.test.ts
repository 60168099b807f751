import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { startBrowser } from '../support/browser.js';
import { signedUser, standingCluster, type Cluster, type SignedUser } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { pick, redeemOnce } from '../support/redeemers.js';
import { seedStaff, type SeededStaff } from '../support/staff-world.js';
import { seedCampaign, seedTenant, type SeededTenant } from '../support/world.js';

let browser: Browser;
let cluster: Cluster;
beforeAll(async () => {
  [browser, cluster] = await Promise.all([startBrowser(), standingCluster()]);
});
afterAll(async () => {
  await browser.close();
  await cluster.close();
});

let tenant: SeededTenant;
let owner: SeededStaff;
let user: SignedUser;
let codes: readonly string[];
let orderNo: string;
let console: ConsoleBrowser;
beforeEach(async () => {
  tenant = await seedTenant(cluster.world);
  owner = await seedStaff(cluster.world, tenant.tenantId);
  ({ codes } = await seedCampaign(cluster.world, tenant, 3));
  user = await signedUser(cluster.world, tenant.tenantId);
  const redeemed = await redeemOnce(cluster.urls[0], { user, code: pick(codes, 0) });
  orderNo = present(redeemed.orderNo, 'The order number');
  console = await ConsoleBrowser.open(browser, cluster.urls[0]);
  await console.signIn(cluster.world, tenant.tenantId, owner.staffId);
});
afterEach(async () => {
  await console.close();
});

/** Opens what a link of the list leads to, and waits until the page shows it. */
async function openFirst(list: string): Promise<void> {
  const { page } = console;
  await page.getByRole('table', { name: list }).getByRole('link').first().click();
  await page.getByRole('heading', { level: 1, name: list, exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('region').first().waitFor();
}

describe('X.26 the pages', () => {
  // Halves, because a machine that is busy with other tests takes minutes for all of them.
  it.each([0, 1])('X.26 each load without a complaint and without a serious fault, half %i', async (half) => {
    const { page } = console;
    const sidebar = page.getByRole('navigation', { name: 'Pages' });
    const names = await sidebar.getByRole('link').allTextContents();
    expect(names.length).toBeGreaterThan(24);
    const faults: string[] = [];
    for (const name of names.filter((_, at) => at % 2 === half)) {
      await sidebar.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Loading …').waitFor({ state: 'detached' });
      await console.picture(`page-${name.toLowerCase().replaceAll(' ', '-')}`);
      for (const fault of await console.seriousFaults()) faults.push(`${name}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  it('X.26 lists lead to details without a serious fault', async () => {
    const faults: string[] = [];
    for (const name of ['Redemptions', 'Orders', 'Codes', 'Batches']) {
      await console.page.getByRole('link', { name, exact: true }).click();
      await openFirst(name);
      await console.picture(`detail-${name.toLowerCase()}`);
      for (const fault of await console.seriousFaults()) faults.push(`${name}, detail: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  it('X.26 find a redemption by what the customer typed, and reverse it with a reason', async () => {
    const { page } = console;
    await console.goto('/redemptions');
    await page.getByRole('textbox', { name: 'Code, as typed' }).fill(pick(codes, 0).toLowerCase());
    await page.getByRole('link', { name: orderNo }).click();
    await page.getByRole('button', { name: 'Reverse' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('button', { name: 'Reverse', exact: true }).click();
    await form.getByText('Say why.').waitFor();
    await form.getByRole('textbox', { name: 'Reason' }).fill('Sold twice');
    await form.getByRole('button', { name: 'Reverse', exact: true }).click();
    await page.getByText('The redemption was reversed.').waitFor();
    await page.getByRole('region', { name: 'Reversal' }).getByText('Sold twice').waitFor();
    expect(await console.seriousFaults()).toEqual([]);
  });

  it('X.26 show a user with everything that the user has, and disable the user', async () => {
    const { page } = console;
    await console.goto('/users');
    await page.getByRole('table', { name: 'Users' }).getByRole('link').first().click();
    const subscriptions = page.getByRole('region', { name: 'Subscriptions' });
    await subscriptions.getByText('ACTIVE').waitFor();
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('can no longer redeem').waitFor();
    await dialog.getByRole('button', { name: 'Disable', exact: true }).click();
    await page.getByText('The user is disabled.').waitFor();
    await expect
      .poll(async () => {
        const answer = await redeemOnce(cluster.urls[1], { user, code: pick(codes, 1) });
        return answer.outcome;
      })
      .toBe('USER_DISABLED');
  });

  it('X.26 make a partner with a key that is shown once', async () => {
    const { page } = console;
    await console.goto('/partners');
    await page.getByRole('button', { name: 'New partner' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Lumen');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Lumen' }).waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('shop');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByText(/^rk_live_/).waitFor();
    await console.picture('partner-key');
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('region', { name: 'Keys' }).getByText('shop').waitFor();
    expect(await page.getByText(/rk_live_/).count()).toBe(0);
    expect(await console.seriousFaults()).toEqual([]);
  });
});
