import type { Locator } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { Webhook, WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { signedUser, type SignedUser } from '../support/cluster.js';
import { ConsoleBrowser } from '../support/console-browser.js';
import { consoleScene } from '../support/console-scene.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { pick, redeemOnce } from '../support/redeemers.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import { emOf, seedCampaign } from '../support/world.js';

const scene = consoleScene();
let user: SignedUser;
let codes: readonly string[];
let orderNo: string;
beforeEach(async () => {
  ({ codes } = await seedCampaign(scene.cluster.world, scene.tenant, 3));
  user = await signedUser(scene.cluster.world, scene.tenant.tenantId);
  const redeemed = await redeemOnce(scene.cluster.urls[0], { user, code: pick(codes, 0) });
  orderNo = present(redeemed.orderNo, 'The order number');
  await scene.signIn();
});

/** Follows a link of the sidebar, and waits until its page has taken the place of another one. */
async function openPage(link: Locator): Promise<void> {
  const { page } = scene.console;
  const heading = page.getByRole('heading', { level: 1 });
  const before = (await heading.textContent()) ?? '';
  const isShown = (await link.getAttribute('href')) === new URL(page.url()).pathname;
  await link.click();
  if (!isShown) await heading.filter({ hasNotText: before }).waitFor();
}

/** Opens what a link of the list leads to, and waits until the page shows it. */
async function openFirst(list: string): Promise<void> {
  const { page } = scene.console;
  await page.getByRole('table', { name: list }).getByRole('link').first().click();
  await page.getByRole('heading', { level: 1, name: list, exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('region').first().waitFor();
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' });
}

describe('X.26 the pages', () => {
  // In parts, because a machine that is busy with other tests takes minutes for all of them.
  it.each([0, 1, 2, 3])(
    'X.26 each load without a complaint and without a serious fault, part %i',
    async (part) => {
      const { page } = scene.console;
      const sidebar = page.getByRole('navigation', { name: 'Pages' });
      const names = await sidebar.getByRole('link').allTextContents();
      expect(names.length).toBeGreaterThan(24);
      const faults: string[] = [];
      for (const name of names.filter((_, at) => at % 4 === part)) {
        await openPage(sidebar.getByRole('link', { name, exact: true }));
        // A page may load several lists.
        await page.getByText('Loading …').first().waitFor({ state: 'detached' });
        await scene.console.picture(`page-${name.toLowerCase().replaceAll(' ', '-')}`);
        for (const fault of await scene.console.seriousFaults()) faults.push(`${name}: ${fault}`);
      }
      expect(faults).toEqual([]);
    },
  );

  it('X.26 lists lead to details without a serious fault', async () => {
    const faults: string[] = [];
    for (const name of ['Redemptions', 'Orders', 'Codes', 'Batches']) {
      await scene.console.page.getByRole('link', { name, exact: true }).click();
      await openFirst(name);
      await scene.console.picture(`detail-${name.toLowerCase()}`);
      for (const fault of await scene.console.seriousFaults()) faults.push(`${name}, detail: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  it('X.26 say what is being read without a serious fault', async () => {
    const { page } = scene.console;
    const answered = Promise.withResolvers<undefined>();
    await scene.console.goto('/redemptions');
    await page.getByRole('link', { name: orderNo }).waitFor();
    await page.route('**/graphql', async (route) => {
      await answered.promise;
      await route.continue();
    });
    await page.getByRole('link', { name: orderNo }).click();
    await page.getByRole('status', { name: 'Loading' }).waitFor();
    expect(await scene.console.seriousFaults()).toEqual([]);
    answered.resolve(undefined);
    await page.getByRole('button', { name: 'Reverse' }).waitFor();
  });

  it('X.26 find a redemption by what the customer typed, and reverse it with a reason', async () => {
    const { page } = scene.console;
    await scene.console.goto('/redemptions');
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
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 show a user with everything that the user has, and disable the user', async () => {
    const { page } = scene.console;
    await scene.console.goto('/users');
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
        const answer = await redeemOnce(scene.cluster.urls[1], { user, code: pick(codes, 1) });
        return answer.outcome;
      })
      .toBe('USER_DISABLED');
  });

  it('X.26 make a partner with a key that is shown once', async () => {
    const { page } = scene.console;
    await scene.console.goto('/partners');
    await page.getByRole('button', { name: 'New partner' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Lumen');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Lumen' }).waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('shop');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByText(/^rk_live_/).waitFor();
    await scene.console.picture('partner-key');
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('region', { name: 'Keys' }).getByText('shop').waitFor();
    expect(await page.getByText(/rk_live_/).count()).toBe(0);
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 announce something, change it and withdraw it, and set what clients read', async () => {
    const { page } = scene.console;
    await scene.console.goto('/announcements');
    await page.getByRole('button', { name: 'New announcement' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Sale');
    await page.getByRole('textbox', { name: 'Text' }).fill('Two\nlines');
    await page.getByRole('button', { name: 'Create announcement' }).click();
    await page.getByRole('button', { name: 'Edit Sale' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Sale!');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Delete Sale!' }).waitFor();
    await scene.console.picture('announcements');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Delete Sale!' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There is none yet.').waitFor();
    await scene.console.goto('/settings');
    await page.getByRole('button', { name: 'Edit Site' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Lumen shop');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Site' }).getByText('Lumen shop').waitFor();
    await page.getByRole('button', { name: 'Edit Encrypted transmission' }).click();
    const devices = page.getByRole('dialog');
    await devices.getByRole('checkbox').check();
    await devices.getByRole('button', { name: 'Save' }).click();
    // Without a key nothing can be encrypted.
    await devices.getByText(/key/i).first().waitFor();
    expect(await devices.count()).toBe(1);
    await devices.getByRole('textbox', { name: 'Add a key' }).fill('k1');
    await devices.locator('input[type=password]').fill('0'.repeat(32));
    await scene.console.picture('settings-devices');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await devices.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Encrypted transmission' }).getByText('k1').first().waitFor();
    await page.getByRole('button', { name: 'Edit Custom data' }).click();
    await page.getByRole('textbox', { name: 'A JSON object' }).fill('{"color":');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This is no JSON.').waitFor();
    await page.getByRole('textbox', { name: 'A JSON object' }).fill('{"color": "red"}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Custom data' }).getByText('"red"').waitFor();
    await scene.console.picture('settings');
  });

  it('X.26 test a webhook, send a delivery again, and have a worker reconcile', async () => {
    const { page } = scene.console;
    const { tenantId } = scene.tenant;
    const em = emOf(scene.cluster.world, tenantId);
    // Not the anchors of the audit log, which come when a worker writes them.
    const { webhook } = await scene.cluster.world.services.webhooks.create(tenantId, {
      url: 'https://shop.example/hook',
      eventTypes: ['redemption.settled'],
    });
    // An address at which nothing is sent.
    await em.nativeUpdate(Webhook, { id: webhook.id }, { url: 'https://127.0.0.1/hook' });
    const failed = {
      webhookId: webhook.id,
      seq: 1,
      eventType: 'redemption.settled',
      status: 'FAILED',
    } as const;
    const queuedAt = new Date(scene.cluster.world.services.clock.nowMs() - 86_400_000);
    const id = scene.cluster.world.services.ids.next();
    await em.insert(WebhookDelivery, { tenantId, id, ...failed, attempts: 9, queuedAt });
    await scene.console.goto('/webhooks');
    await page.getByRole('button', { name: 'Test https://127.0.0.1/hook' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Test' }).click();
    await page.getByText('The test is on its way').waitFor();
    await page.getByRole('link', { name: 'https://127.0.0.1/hook' }).click();
    await page.getByRole('button', { name: 'Resend redemption.settled 1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resend' }).click();
    await page.getByText('The event is sent again.').waitFor();
    const sent = async () =>
      (await em.find(WebhookDelivery, {}, { disableIdentityMap: true })).map(({ failure }) => failure);
    await expect.poll(sent).toEqual(['ADDRESS_NOT_ALLOWED', 'ADDRESS_NOT_ALLOWED']);
    await page.reload();
    await page.getByText('webhook.test').waitFor();
    await scene.console.picture('deliveries');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await scene.console.goto('/reconciliation');
    const runs = page.getByRole('region', { name: 'Made by a worker' });
    await runs.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
    await runs.getByText('CLEAN').waitFor();
    await scene.console.picture('reconciliation-runs');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });

  it('X.26 end a session of another browser, and change tenants and the issuer where one may', async () => {
    const { page } = scene.console;
    const { tenantId } = scene.tenant;
    const { staffSignIns } = scene.cluster.world.services;
    const typed = { tenantId, email: scene.owner.email, password: PASSWORD };
    const { accessToken } = await staffSignIns.signIn({ ...typed, ip: '192.0.2.7' });
    await scene.console.goto('/account');
    await page.getByRole('link', { name: 'Your sessions' }).click();
    await page.getByRole('button', { name: 'End the session from 192.0.2.7' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await page.getByText('The session has ended.').waitFor();
    const viewer = { query: '{ viewer { role } }', token: accessToken };
    const refused = async () =>
      (await graphqlRequest(scene.cluster.urls[1], viewer)).errors?.[0]?.extensions.code;
    await expect.poll(refused).toBe('SESSION_ENDED');
    await scene.console.picture('sessions');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await scene.console.goto('/token-issuer');
    await page.getByRole('button', { name: 'Set up' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Claim iss' }).fill(`https://id.example/${tenantId}`);
    await form.getByRole('textbox', { name: 'Claim aud' }).fill('shop');
    await form.getByRole('textbox', { name: 'Public keys' }).fill('https://id.example/jwks');
    await form.getByRole('button', { name: 'Save' }).click();
    // The operator of this installation allows no host.
    await form.getByText(/host/i).nth(1).waitFor();
    await scene.console.picture('token-issuer-form');
    expect(await scene.console.seriousFaults()).toEqual([]);
    expect(await page.getByRole('link', { name: 'Tenants' }).count()).toBe(0);
    const { world, urls } = scene.cluster;
    const platformId = `P_${world.services.ids.next().slice(-10)}`;
    await world.services.tenants.create({ id: platformId, name: 'Platform', type: 'PLATFORM' });
    const { staffId } = await seedStaff(world, platformId);
    await scene.console.close();
    scene.console = await ConsoleBrowser.open(scene.browser, urls[0]);
    await scene.console.signIn(world, platformId, staffId);
    await scene.console.goto(`/tenants?part=${tenantId.toLowerCase()}`);
    const platform = scene.console.page;
    await platform.getByRole('button', { name: `Edit ${tenantId}` }).click();
    await platform.getByRole('textbox', { name: 'Name', exact: true }).fill('The shop');
    await platform.getByRole('button', { name: 'Save' }).click();
    await platform.getByRole('table', { name: 'Tenants' }).getByText('The shop').waitFor();
    await scene.console.picture('tenants');
    expect(await scene.console.seriousFaults()).toEqual([]);
  });
});
