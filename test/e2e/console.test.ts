import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startServer } from '../../src/app/server.js';
import { loadConfig } from '../../src/config.js';
import { createLog } from '../../src/platform/observability/log.js';
import { startBrowser } from '../support/browser.js';
import { standingCluster, type Cluster } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { OidcProvider } from '../support/oidc-provider.js';
import { codeOf, PASSWORD, seedStaff, type SeededStaff } from '../support/staff-world.js';
import { seedTenant, TEST_SECRETS, type SeededTenant } from '../support/world.js';

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

  it('X.26 takes an invitation, sets up a second factor, and lets a recovery code in once', async () => {
    const { page } = console;
    const invited = { email: `new-${owner.staffId}@example.com`, name: 'Nadia', role: 'OPERATOR' };
    const { invitationToken } = await cluster.world.services.staff.invite(tenant.tenantId, invited);
    await console.goto(`/invitation#token=${invitationToken}`);
    for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD);
    expect(await console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Set the password' }).click();
    const signIn = async (code?: string): Promise<void> => {
      await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
      await page.getByLabel('Tenant').fill(tenant.tenantId);
      await page.getByLabel('E-mail').fill(invited.email);
      await page.locator('input[type=password]').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      if (code === undefined) return;
      await page.getByRole('textbox', { name: 'Code of your authenticator app' }).fill(code);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    };
    const signOut = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Account of Nadia' }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
    };
    await signIn();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await console.goto('/account');
    await page.getByRole('button', { name: 'Set up' }).click();
    const form = page.getByRole('dialog', { name: 'Set up a second factor' });
    await form.locator('input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    const secret = await form.locator('code').textContent();
    await console.picture('second-factor');
    expect(await console.seriousFaults()).toEqual([]);
    await form.getByRole('textbox', { name: 'The code that the app shows' }).fill(codeOf(secret ?? '', -1));
    await form.getByRole('button', { name: 'Confirm' }).click();
    const shown = page.getByRole('dialog', { name: 'Recovery codes' });
    const [first = '', ...others] = (await shown.getByText(/^[A-Z2-7]{4}-/).innerText()).split('\n');
    expect(others).toHaveLength(9);
    expect(await console.seriousFaults()).toEqual([]);
    await shown.getByRole('button', { name: 'I have it' }).click();
    await page.getByText('10 are left.').waitFor();
    await signOut();
    await signIn(first);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await console.goto('/account');
    await page.getByText('9 are left.').waitFor();
    await console.picture('account');
    await signOut();
    await signIn(codeOf(secret ?? ''));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    // The first step of a sign-in with a second factor is refused.
    console.forgive(401);
  });

  it('X.26 signs in by the provider', async () => {
    const provider = await OidcProvider.start();
    const config = loadConfig({ NODE_ENV: 'test', PORT: '0', ROLE: 'api', ...provider.environment });
    const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
    const server = await startServer({ config, ...TEST_SECRETS, ...urls }, createLog({ level: 'silent' }));
    const own = await ConsoleBrowser.open(browser, server.address);
    const { page } = own;
    await page.route(/\/authorize\?/, async (route) => {
      const { search } = new URL(provider.signIn(route.request().url(), { email: owner.email }));
      const back = `${server.address}/console/sign-in/oidc${search}`;
      const body = `<html lang="en"><meta http-equiv="refresh" content="0;url=${back.replaceAll('&', '&amp;')}"></html>`;
      await route.fulfill({ contentType: 'text/html', body });
    });
    await own.goto('/plans');
    await page.getByLabel('Tenant').fill(tenant.tenantId);
    await page.getByRole('button', { name: 'Sign in with the provider' }).click();
    await page.getByRole('button', { name: 'Account of Member' }).waitFor();
    expect(page.url()).not.toContain('code=');
    await own.close();
    await server.stop();
    await provider.stop();
  });
});
