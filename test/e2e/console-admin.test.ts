import type { Locator } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { signedUser, type SignedUser } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { consoleScene } from '../support/console-scene.js';
import { pick, redeemOnce } from '../support/redeemers.js';
import { seedStaff } from '../support/staff-world.js';
import { seedCampaign } from '../support/world.js';

const LIVE_MS = 2000;

const scene = consoleScene();
let user: SignedUser;
let codes: readonly string[];
beforeEach(async () => {
  ({ codes } = await seedCampaign(scene.cluster.world, scene.tenant, 3));
  user = await signedUser(scene.cluster.world, scene.tenant.tenantId);
  await scene.signIn();
});

async function openForm(button: string, title = button): Promise<Locator> {
  await scene.console.page.getByRole('button', { name: button, exact: true }).click();
  const form = scene.console.page.getByRole('dialog', { name: title });
  await form.waitFor();
  return form;
}

/** Answers the question of a button, and waits until it is done. */
async function confirm(button: string, says: string): Promise<void> {
  const { page } = scene.console;
  const label = present(button.split(' ')[0], 'The label');
  await page.getByRole('button', { name: button, exact: true }).press('Enter');
  const question = page.getByRole('dialog', { name: label, exact: true });
  await question.getByText(says).waitFor();
  await question.getByRole('button', { name: label, exact: true }).press('Enter');
  await question.waitFor({ state: 'detached' });
}

const row = (list: string, name: string | RegExp): Locator =>
  scene.console.page.getByRole('table', { name: list }).getByRole('row', { name });

describe('X.26 administration in the console', () => {
  it('X.7 limits are set for a line and its callers, and what is used is shown within two seconds', async () => {
    const { page } = scene.console;
    await scene.console.goto(`/rate-limits?userId=${user.userId}`);
    await page.getByText('Live', { exact: true }).waitFor();
    const ofUser = row('Rate limits', /DEMO Each user/);
    const form = await openForm('Set the limits of DEMO, each user', 'Limits of DEMO');
    await form.getByLabel('Attempts in any hour').fill('5');
    await form.getByRole('button', { name: 'Set' }).click();
    await page.getByText('The limits are in force on every server.').waitFor();
    await ofUser.getByText('0 of 5').waitFor();
    await redeemOnce(scene.cluster.urls[1], { user, code: pick(codes, 0) });
    const answeredMs = performance.now();
    const { lagMs } = await scene.withLag(async () => ofUser.getByText('1 of 5').waitFor());
    expect(performance.now() - answeredMs).toBeLessThan(2 * (LIVE_MS + lagMs));
    await scene.console.picture('rate-limits-of-a-user');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 currencies, facilities and nodes are made and switched', async () => {
    const { page } = scene.console;
    await scene.console.goto('/currencies');
    const currency = await openForm('New currency');
    await currency.getByLabel('Code').fill('gold');
    await currency.getByLabel('Name').fill('Gold');
    await currency.getByLabel('Fee of a transfer').fill('1');
    await page.keyboard.press('Enter');
    // The server refuses a fee that keeps all of it, at its field.
    await currency.getByText(/below 1/).waitFor();
    await currency.getByLabel('Fee of a transfer').fill('0.015');
    await page.keyboard.press('Enter');
    await row('Currencies', /GOLD Gold ENABLED 2 1.5 %/).waitFor();
    await confirm('Disable GOLD', 'CURRENCY_DISABLED');
    await row('Currencies', /GOLD Gold DISABLED/).waitFor();

    await scene.console.goto('/facilities');
    const facility = await openForm('New facility');
    await facility.getByLabel('Name').fill('Arena');
    await page.keyboard.press('Enter');
    await row('Facilities', /Arena ENABLED/).waitFor();

    await scene.console.goto('/nodes');
    const node = await openForm('New node');
    await node.getByLabel('Name').fill('Berlin 1');
    await node.getByLabel('Address').fill('b1.example.net');
    await page.keyboard.press('Enter');
    await row('Nodes', /Berlin 1 b1.example.net/).waitFor();
    await confirm('Token for Berlin 1', 'shown once');
    await page.getByRole('button', { name: 'I have it' }).click();
    await confirm('Disable Berlin 1', 'No subscriber sees');
    await row('Nodes', /Berlin 1 .* DISABLED/).waitFor();
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 a coupon template is made, and its coupons are issued and listed', async () => {
    const { page } = scene.console;
    await scene.console.goto('/currencies');
    const currency = await openForm('New currency');
    await currency.getByLabel('Code').fill('EUR');
    await currency.getByLabel('Name').fill('Euro');
    await page.keyboard.press('Enter');
    await row('Currencies', /EUR/).waitFor();
    await scene.console.goto('/coupon-templates');
    const form = await openForm('New template', 'New coupon template');
    await form.getByLabel('Name').fill('Five off');
    await form.getByLabel('Currency').click();
    await page.getByRole('option', { name: /EUR/ }).click();
    await form.getByRole('button', { name: 'Create template' }).click();
    await form
      .getByText('must be given')
      .or(form.getByText(/amount/i).nth(1))
      .first()
      .waitFor();
    await form.getByLabel('Amount').fill('5');
    await form.getByRole('button', { name: 'Create template' }).click();
    await page.getByRole('heading', { level: 1, name: 'Five off' }).waitFor();
    const issue = await openForm('Issue', 'Issue Five off');
    await issue.getByLabel('Id of the user').fill(user.userId);
    await issue.getByRole('button', { name: 'Issue' }).click();
    await page.getByText('The user has the coupons.').waitFor();
    await page.getByRole('link', { name: 'Coupons' }).last().click();
    await row('Coupons', /Five off .* AVAILABLE/).waitFor();
    await scene.console.picture('coupons-of-a-template');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 Ctrl K leads to a code, an order, a user and a page by what was typed', async () => {
    const { page } = scene.console;
    const { orderNo } = await redeemOnce(scene.cluster.urls[0], { user, code: pick(codes, 0) });
    const jump = async (typed: string, option: string | RegExp): Promise<void> => {
      await page.keyboard.press('Control+k');
      const field = page.getByRole('textbox', { name: 'Jump to' });
      await scene.console.type(field, typed);
      await page.getByRole('button', { name: option }).first().waitFor();
      await scene.console.picture('jump');
      await page.keyboard.press('Enter');
      await field.waitFor({ state: 'detached' });
    };
    await jump(pick(codes, 1).toLowerCase(), /Code of Test campaign/);
    await page.getByRole('heading', { level: 1, name: pick(codes, 1) }).waitFor();
    await jump(present(orderNo, 'The order'), /Redemption/);
    await page.getByRole('heading', { level: 1, name: new RegExp(present(orderNo, 'The order')) }).waitFor();
    await jump(user.userId, /User \d/);
    await page.getByRole('heading', { level: 1, name: `u${user.userId}` }).waitFor();
    await jump('rate lim', 'Rate limits');
    await page.getByRole('heading', { level: 1, name: 'Rate limits' }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/\/rate-limits$/);
  });

  it('X.26 a period in the address holds for the list, and is chosen by its name', async () => {
    const { page } = scene.console;
    await redeemOnce(scene.cluster.urls[0], { user, code: pick(codes, 0) });
    const count = page.getByRole('status').filter({ hasText: / of /u });
    await scene.console.goto('/redemptions?from=2020-01-01&to=2020-01-31');
    await count.getByText('None of 0').waitFor();
    await page.getByRole('search').getByRole('button', { name: 'Time, 1 Jan 2020 – 31 Jan 2020' }).click();
    await page.getByRole('button', { name: 'Last 7 days' }).click();
    await count.getByText('1–1 of 1').waitFor();
    expect(new URL(page.url()).search).toMatch(/^\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$/);
    await scene.console.picture('period');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 an auditor sees all of it, and no button that changes anything', async () => {
    await scene.console.close();
    scene.console = await ConsoleBrowser.open(scene.browser, scene.cluster.urls[0], { colorScheme: 'dark' });
    const { page } = scene.console;
    const auditor = await seedStaff(scene.cluster.world, scene.tenant.tenantId, 'AUDITOR');
    await scene.console.signIn(scene.cluster.world, scene.tenant.tenantId, auditor.staffId);
    for (const list of ['Batches', 'Rate limits', 'Currencies', 'Facilities', 'Nodes', 'Coupon templates']) {
      await page.getByRole('link', { name: list, exact: true }).click();
      await page.getByRole('heading', { level: 1, name: list }).waitFor();
      const table = page.getByRole('table', { name: list });
      await table.getByRole('cell').first().waitFor();
      await table.getByText('Loading …').waitFor({ state: 'detached' });
      const buttons = await page.getByRole('main').getByRole('button').allTextContents();
      expect(buttons.filter((text) => /New|Add|Set|Edit|Rename|Disable|Issue/.test(text))).toEqual([]);
      await scene.console.picture(`${list.toLowerCase().replaceAll(' ', '-')}-dark`);
      expect(await scene.console.seriousFaults()).toEqual([]);
    }
  });
});
