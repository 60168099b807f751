import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.js';
import { standingCluster, type Cluster } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { PASSWORD, seedStaff, type SeededStaff } from '../support/staff-world.js';
import { seedTenant, type SeededTenant } from '../support/world.js';

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
let console: ConsoleBrowser;
beforeEach(async () => {
  tenant = await seedTenant(cluster.world);
  owner = await seedStaff(cluster.world, tenant.tenantId);
  console = await ConsoleBrowser.open(browser, cluster.urls[0]);
});
afterEach(async () => {
  await console.close();
});

describe('X.26 the console', () => {
  it('X.26 asks for a sign-in, and then shows the page that was asked for', async () => {
    const { page } = console;
    await console.goto('/plans?size=25');
    await page.getByLabel('Tenant').fill(tenant.tenantId.toLowerCase());
    await page.getByLabel('E-mail').fill(owner.email);
    await page.locator('input[type=password]').fill(PASSWORD);
    await console.picture('sign-in');
    expect(await console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Plans' }).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/console/plans?size=25');
  });

  it('X.26 stays signed in over a reload and in a second tab, and ends in both by a sign-out', async () => {
    const { page } = console;
    await console.signIn(cluster.world, tenant.tenantId, owner.staffId);
    expect(page.url()).not.toContain('#');
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('button', { name: 'Account of Member' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
    await second.reload();
    await second.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
  });

  it('X.26 makes a plan by the keyboard alone, with the refusals of the server at their fields', async () => {
    const { page } = console;
    await console.signIn(cluster.world, tenant.tenantId, owner.staffId);
    await console.goto('/plans');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'New plan' }).focus();
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog', { name: 'New plan' });
    await form.waitFor();
    // The first field has the focus.
    await page.keyboard.type('x'.repeat(65));
    await page.keyboard.press('Tab');
    await page.keyboard.type('9.90');
    await page.keyboard.press('Enter');
    const problem = form.getByText('must have at most 64 characters');
    await problem.waitFor();
    await console.picture('plan-form');
    expect(await console.seriousFaults()).toEqual([]);
    await form.getByLabel('Name').fill('Quarterly');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Quarterly' }).waitFor();
    await console.picture('plan');
    expect(await console.seriousFaults()).toEqual([]);
  });

  it('X.26 shows a role what it may do, and no more', async () => {
    const { page } = console;
    const auditor = await seedStaff(cluster.world, tenant.tenantId, 'AUDITOR');
    await console.signIn(cluster.world, tenant.tenantId, auditor.staffId);
    await console.goto('/plans');
    await page.getByRole('table', { name: 'Plans' }).getByRole('link').first().waitFor();
    expect(await page.getByRole('button', { name: 'New plan' }).count()).toBe(0);
    await console.picture('plans');
    expect(await console.seriousFaults()).toEqual([]);
  });
});
