import { describe, expect, it } from 'vitest';
import { startApi } from '../support/api-server.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { consoleScene } from '../support/console-scene.js';
import { OidcProvider } from '../support/oidc-provider.js';
import { codeOf, PASSWORD, seedStaff } from '../support/staff-world.js';

const scene = consoleScene();

describe('X.26 the console', () => {
  it('X.26 asks for a sign-in, and then shows the page that was asked for', async () => {
    const { page } = scene.console;
    await scene.console.goto('/plans?size=25');
    await page.getByLabel('Tenant').fill(scene.tenant.tenantId.toLowerCase());
    await page.getByLabel('E-mail').fill(scene.owner.email);
    await page.locator('input[type=password]').fill(PASSWORD);
    await scene.console.picture('sign-in');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Plans' }).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/console/plans?size=25');
  });

  it('X.26 stays signed in over a reload and in a second tab, and ends in both by a sign-out', async () => {
    const { page } = scene.console;
    await scene.signIn();
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
    const { page } = scene.console;
    await scene.signIn();
    await scene.console.goto('/plans');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'New plan' }).focus();
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog', { name: 'New plan' });
    // The first field has the focus.
    await scene.console.type(form.getByLabel('Name'), 'x'.repeat(65));
    await page.keyboard.press('Tab');
    await page.keyboard.type('9.90');
    await page.keyboard.press('Enter');
    const problem = form.getByText('must have at most 64 characters');
    await problem.waitFor();
    await scene.console.picture('plan-form');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await form.getByLabel('Name').fill('Quarterly');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Quarterly' }).waitFor();
    await scene.console.picture('plan');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 shows a role what it may do, and no more', async () => {
    const { page } = scene.console;
    const auditor = await seedStaff(scene.cluster.world, scene.tenant.tenantId, 'AUDITOR');
    await scene.console.signIn(scene.cluster.world, scene.tenant.tenantId, auditor.staffId);
    await scene.console.goto('/plans');
    await page.getByRole('table', { name: 'Plans' }).getByRole('link').first().waitFor();
    expect(await page.getByRole('button', { name: 'New plan' }).count()).toBe(0);
    await scene.console.picture('plans');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 takes an invitation, sets up a second factor, and lets a recovery code in once', async () => {
    const { page } = scene.console;
    const invited = { email: `new-${scene.owner.staffId}@example.com`, name: 'Nadia', role: 'OPERATOR' };
    const { invitationToken } = await scene.cluster.world.services.staff.invite(
      scene.tenant.tenantId,
      invited,
    );
    await scene.console.goto(`/invitation#token=${invitationToken}`);
    for (const no of [0, 1]) await page.locator('input[type=password]').nth(no).fill(PASSWORD);
    expect(await scene.console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Set the password' }).click();
    const signIn = async (code?: string): Promise<void> => {
      await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
      await page.getByLabel('Tenant').fill(scene.tenant.tenantId);
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
    await scene.console.goto('/account');
    await page.getByRole('button', { name: 'Set up' }).click();
    const form = page.getByRole('dialog', { name: 'Set up a second factor' });
    await form.locator('input[type=password]').fill(PASSWORD);
    await page.keyboard.press('Enter');
    const secret = await form.locator('code').textContent();
    await scene.console.picture('second-factor');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await form.getByRole('textbox', { name: 'The code that the app shows' }).fill(codeOf(secret ?? ''));
    await form.getByRole('button', { name: 'Confirm' }).click();
    const shown = page.getByRole('dialog', { name: 'Recovery codes' });
    const [first = '', ...others] = (await shown.getByText(/^[A-Z2-7]{4}-/).innerText()).split('\n');
    expect(others).toHaveLength(9);
    expect(await scene.console.seriousFaults()).toEqual([]);
    await shown.getByRole('button', { name: 'I have it' }).click();
    await page.getByText('10 are left.').waitFor();
    await signOut();
    await signIn(first);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await scene.console.goto('/account');
    await page.getByText('9 are left.').waitFor();
    await scene.console.picture('account');
    await signOut();
    // A code counts once, so this is the next one; it is taken early as well as in its time.
    await signIn(codeOf(secret ?? '', 1));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    // The first step of a sign-in with a second factor is refused.
    scene.console.forgive(401);
  });

  it('X.26 signs in by the provider', async () => {
    const provider = await OidcProvider.start();
    const server = await startApi(provider.environment);
    const own = await ConsoleBrowser.open(scene.browser, server.address);
    const { page } = own;
    await page.route(/\/authorize\?/, async (route) => {
      const { search } = new URL(provider.signIn(route.request().url(), { email: scene.owner.email }));
      const back = `${server.address}/console/sign-in/oidc${search}`;
      const body = `<html lang="en"><meta http-equiv="refresh" content="0;url=${back.replaceAll('&', '&amp;')}"></html>`;
      await route.fulfill({ contentType: 'text/html', body });
    });
    await own.goto('/plans');
    await page.getByLabel('Tenant').fill(scene.tenant.tenantId);
    await page.getByRole('button', { name: 'Sign in with the provider' }).click();
    await page.getByRole('button', { name: 'Account of Member' }).waitFor();
    expect(page.url()).not.toContain('code=');
    await own.close();
    await server.stop();
    await provider.stop();
  });
});
