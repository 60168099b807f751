import type { Response } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { present } from '../../src/platform/assert.js';
import { signedUsers } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { consoleScene } from '../support/console-scene.js';
import { pick, redeemOnce } from '../support/redeemers.js';
import { seedStaff } from '../support/staff-world.js';
import { emOf, seedCampaign } from '../support/world.js';

const FIRST_LOAD_BYTES_MAX = 350 * 1024;
const LIVE_MS = 2000;
const UPDATES = 5;

const scene = consoleScene();

describe('X.26 the overview', () => {
  it('X.26 shows a redemption that another process has made within two seconds', async () => {
    const { page } = scene.console;
    const { campaignId, codes } = await seedCampaign(scene.cluster.world, scene.tenant, UPDATES);
    const users = await signedUsers(scene.cluster.world, scene.tenant.tenantId, UPDATES);
    await scene.signIn();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const latest = page.getByRole('region', { name: 'Latest redemptions' });
    await latest.getByText('No code was redeemed yet.').waitFor();
    const delays: number[] = [];
    for (const [index, user] of users.entries()) {
      const redeemed = await redeemOnce(scene.cluster.urls[1], { user, code: pick(codes, index) });
      const answeredMs = performance.now();
      expect(redeemed.outcome).toBe('COMMITTED');
      const row = latest.getByRole('cell', { name: `u${user.userId}` });
      const { lagMs } = await scene.withLag(async () => row.waitFor());
      delays.push(performance.now() - answeredMs - 2 * lagMs);
    }
    // A machine that is busy with other tests may hold one of them up.
    expect(delays.toSorted((a, b) => a - b)[Math.floor(UPDATES / 2)]).toBeLessThan(LIVE_MS);
    await page
      .getByRole('group', { name: 'Redemptions', exact: true })
      .getByText(String(UPDATES), { exact: true })
      .waitFor();
    await page.getByRole('img', { name: `${UPDATES} redemptions in the last 5 minutes` }).waitFor();
    await scene.console.picture('overview');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await latest.getByRole('link', { name: 'Test campaign' }).first().click();
    await page.getByRole('heading', { name: 'Test campaign' }).waitFor();
    expect(page.url()).toContain(`/console/campaigns/${campaignId}`);
    await page
      .getByRole('group', { name: 'Redemptions', exact: true })
      .getByText(String(UPDATES), { exact: true })
      .waitFor();
    await scene.console.picture('campaign');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 draws its charts where Intl does not know the language of the browser', async () => {
    const { page } = scene.console;
    // As Chromium on a system without a locale.
    await page.addInitScript(
      "Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix' })",
    );
    await scene.signIn();
    await page.getByRole('img', { name: /redemptions in the last 5 minutes/ }).waitFor();
    const hours = page.getByRole('img', { name: /in the last 48 hours/ });
    await hours.waitFor();
    expect(await hours.locator('canvas').count()).toBe(1);
  });

  it('X.26 takes less than 350 KB at the first load, with all that it asks for', async () => {
    const { page } = scene.console;
    const replies: Response[] = [];
    page.on('response', (reply) => replies.push(reply));
    await scene.signIn();
    await page.getByRole('img', { name: /redemptions in the last 5 minutes/ }).waitFor();
    await page.waitForLoadState('load');
    const sizes = await Promise.all(
      replies.map(async (reply) => {
        const { responseBodySize, responseHeadersSize } = await reply.request().sizes();
        return responseBodySize + responseHeadersSize;
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(100 * 1024);
    expect(total).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });
});

describe('X.26 campaigns', () => {
  it('X.26 are made, activated and paused by the keyboard alone, each after a word on what will happen', async () => {
    const { page } = scene.console;
    await scene.signIn();
    await scene.console.goto('/campaigns');
    await page.getByText('There is none yet.').waitFor();
    await page.getByRole('button', { name: 'New campaign' }).focus();
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog', { name: 'New campaign' });
    await scene.console.type(form.getByLabel('Name'), 'Spring sale');
    // A condition is judged while it is typed, and its place is shown.
    await form.getByLabel('Who may redeem').focus();
    await page.keyboard.type('isNew && hour >= "0"');
    await form.getByText('Line 1, column 10').waitFor();
    await scene.console.picture('campaign-condition');
    for (let at = 0; at < 3; at += 1) await page.keyboard.press('Backspace');
    await page.keyboard.type('0');
    await form.getByText('There are no users to try it on.').waitFor();
    await form.getByRole('button', { name: 'Add a reward' }).focus();
    await page.keyboard.press('Enter');
    await form.getByLabel('Type').last().waitFor();
    await form.getByLabel('Random characters').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('4');
    await page.keyboard.press('Enter');
    // The server refuses a reward without a plan first, then codes that could be guessed.
    await form.getByText('must be given').waitFor();
    await scene.console.picture('campaign-form');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await form.getByLabel('Plan').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: /Monthly/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await form.getByLabel('Random characters').fill('12');
    await form.getByRole('button', { name: 'Create draft' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Spring sale' }).waitFor();
    await page.getByText('DRAFT', { exact: true }).waitFor();
    for (const [step, state] of [
      ['Activate', 'ACTIVE'],
      ['Pause', 'PAUSED'],
      ['Resume', 'ACTIVE'],
    ] as const) {
      await page.getByRole('button', { name: step, exact: true }).focus();
      await page.keyboard.press('Enter');
      const question = page.getByRole('dialog', { name: step });
      await question.getByText('“Spring sale”').waitFor();
      await question.getByRole('button', { name: step, exact: true }).focus();
      await page.keyboard.press('Enter');
      await question.waitFor({ state: 'detached' });
      await page.getByText(state, { exact: true }).waitFor();
    }
  });

  it('X.26 are listed by their state in the address, and changed by their forms', async () => {
    const { page } = scene.console;
    await seedCampaign(scene.cluster.world, scene.tenant, 2, { campaign: { name: 'Running' } });
    await seedCampaign(scene.cluster.world, scene.tenant, 2, {
      campaign: { name: 'Draft' },
      isActive: false,
    });
    await scene.signIn();
    await scene.console.goto('/campaigns?status=DRAFT');
    const table = page.getByRole('table', { name: 'Campaigns' });
    await table.getByRole('link', { name: 'Draft' }).waitFor();
    expect(await table.getByRole('link').count()).toBe(1);
    await page.getByRole('radiogroup', { name: 'Status' }).getByText('Active').click();
    await table.getByRole('link', { name: 'Running' }).waitFor();
    expect(new URL(page.url()).search).toBe('?status=ACTIVE');
    await scene.console.picture('campaigns');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await table.getByRole('link', { name: 'Running' }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('dialog', { name: 'Edit Running' });
    await form.getByLabel('Budget in redemptions').fill('5');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('group', { name: 'Budget in redemptions' }).getByText('used of 5').waitFor();
    await page.getByRole('button', { name: 'End' }).click();
    const question = page.getByRole('dialog', { name: 'End' });
    expect(await question.getByRole('button', { name: 'End' }).isDisabled()).toBe(true);
    await question.getByLabel('Type “Running” to confirm').fill('Running');
    await question.getByRole('button', { name: 'End' }).click();
    await page.getByText('ENDED', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0);
  });

  it('X.26 have a window in the time zone of the tenant, not of the browser, and keep it when something else is changed', async () => {
    const { page } = scene.console;
    const { world } = scene.cluster;
    const { tenantId } = scene.tenant;
    await world.services.tenantChanges.update(tenantId, { timeZone: 'Australia/Lord_Howe' });
    await scene.signIn();
    await scene.console.goto('/campaigns');
    await page.getByRole('button', { name: 'New campaign' }).click();
    const form = page.getByRole('dialog', { name: 'New campaign' });
    await form.getByLabel('Name').fill('Spring');
    const [starts, ends] = [form.getByLabel('Starts'), form.getByLabel('Ends')];
    await form.getByText('Time of Australia/Lord_Howe. Empty: at once.').waitFor();
    // Clocks skip from 02:00 to 02:30, and on the other day the half hour before 02:00 comes twice.
    await starts.fill('2026-10-04T02:15');
    await ends.fill('2027-04-04T01:45');
    await form.getByRole('button', { name: 'Create draft' }).click();
    await page.getByRole('heading', { name: 'Spring' }).waitFor();
    await page.getByText('4 Oct 2026, 02:45 GMT+11').waitFor();
    const em = emOf(world, tenantId);
    const row = async () => em.findOneOrFail(Campaign, {}, { disableIdentityMap: true });
    const startsAt = new Date('2026-10-03T15:45:00Z');
    expect(await row()).toMatchObject({ startsAt, endsAt: new Date('2027-04-03T14:45:00Z') });
    // The second of the two half hours, with seconds that the field does not show.
    const endsAt = new Date('2027-04-03T15:15:59.999Z');
    await em.nativeUpdate(Campaign, {}, { endsAt });
    await page.reload();
    await page.getByRole('button', { name: 'Edit' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Spring' });
    expect(await edit.getByLabel('Starts').inputValue()).toBe('2026-10-04T02:45');
    expect(await edit.getByLabel('Ends').inputValue()).toBe('2027-04-04T01:45');
    await edit.getByLabel('Budget in redemptions').fill('5');
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.waitFor({ state: 'detached' });
    expect(await row()).toMatchObject({ startsAt, endsAt, budgetUses: 5 });
    await scene.console.goto('/campaigns');
    await page.getByText('until 4 Apr 2027, 01:45 GMT+10:30').waitFor();
  });

  it('X.26 have a chart with the day below each bar that the bar counts, also where another day has begun', async () => {
    await scene.console.close();
    const { browser, cluster, tenant } = scene;
    scene.console = await ConsoleBrowser.open(browser, cluster.urls[0], { timezoneId: 'Pacific/Auckland' });
    const { page } = scene.console;
    // Notes where the chart writes what.
    await page.addInitScript(`
      window.written = {};
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
        window.written[text] = x;
        fillText.call(this, text, x, ...rest);
      };`);
    const { campaignId } = await seedCampaign(cluster.world, tenant, 1);
    await scene.signIn();
    await scene.console.goto(`/campaigns/${campaignId}`);
    const chart = page.getByRole('img', { name: /in the last 30 days/ });
    await chart.waitFor();
    const written = await page.evaluate<Record<string, number>>('window.written');
    const [day, x] = present(
      Object.entries(written).find(([text]) => /^\d+ \w+$/.test(text)),
      'A day',
    );
    const at = present(await chart.locator('canvas').boundingBox(), 'The canvas');
    await page.mouse.move(at.x + x, at.y + 50);
    expect(await chart.locator('.u-legend .u-value').first().innerText()).toMatch(
      new RegExp(`^${day} \\d{4}$`),
    );
  });

  it('X.26 show an auditor no button that changes anything, in the dark scheme', async () => {
    await scene.console.close();
    scene.console = await ConsoleBrowser.open(scene.browser, scene.cluster.urls[0], { colorScheme: 'dark' });
    const { page } = scene.console;
    const { campaignId } = await seedCampaign(scene.cluster.world, scene.tenant, 2);
    const auditor = await seedStaff(scene.cluster.world, scene.tenant.tenantId, 'AUDITOR');
    await scene.console.signIn(scene.cluster.world, scene.tenant.tenantId, auditor.staffId);
    await page.getByRole('img', { name: /redemptions in the last 5 minutes/ }).waitFor();
    await scene.console.picture('overview-dark');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await scene.console.goto('/campaigns');
    await page.getByRole('link', { name: 'Test campaign' }).waitFor();
    expect(await page.getByRole('button', { name: 'New campaign' }).count()).toBe(0);
    await scene.console.goto(`/campaigns/${campaignId}`);
    await page.getByRole('group', { name: 'Redemptions', exact: true }).waitFor();
    for (const step of ['Edit', 'End', 'Pause'])
      expect(await page.getByRole('button', { name: step, exact: true }).count()).toBe(0);
    await scene.console.picture('campaign-dark');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });
});
