import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Download, Locator } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { signedUsers } from '../support/cluster.js';
import { consoleScene } from '../support/console-scene.js';
import { pick, redeemOnce } from '../support/redeemers.js';
import { emOf, seedCampaign } from '../support/world.js';

const scene = consoleScene();
let campaignId: string;
beforeEach(async () => {
  ({ campaignId } = await seedCampaign(scene.cluster.world, scene.tenant, 1));
  await scene.signIn();
});

/** Opens one of the ways to add codes, by the keyboard, and answers its form. */
async function addCodes(way: string, title = way): Promise<Locator> {
  const { page } = scene.console;
  await page.getByRole('button', { name: 'Add codes' }).press('Enter');
  await page.getByRole('menuitem', { name: way }).press('Enter');
  const form = page.getByRole('dialog', { name: title });
  await form.waitFor();
  return form;
}

/** The form has nearly the same name. */
const codesField = (form: Locator): Locator => form.getByRole('textbox', { name: 'Codes', exact: true });

async function saved(click: () => Promise<void>): Promise<{ readonly name: string; readonly text: string }> {
  const [file] = await Promise.all([scene.console.page.waitForEvent('download'), click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await pathOf(file), 'utf8') };
}

const pathOf = async (file: Download): Promise<string> => file.path();

const figure = (name: string, value: number): Locator =>
  scene.console.page.getByRole('group', { name, exact: true }).getByText(String(value), { exact: true });

/** What a fact of a card says. */
const fact = (region: string, label: string): Locator =>
  scene.console.page
    .getByRole('region', { name: region, exact: true })
    .locator(`dt:text-is("${label}") + dd`);

describe('S4.19 X.26 codes in the console', () => {
  it('S4.19 the figures that are shown equal the codes made and redeemed', async () => {
    const { page } = scene.console;
    await scene.console.goto(`/campaigns/${campaignId}`);
    const form = await addCodes('Generate codes');
    await codesField(form).fill('0');
    await form.getByRole('button', { name: 'Generate' }).press('Enter');
    await form.getByText('must be at least 1').waitFor();
    await codesField(form).fill('24');
    await form.getByRole('button', { name: 'Generate' }).press('Enter');
    await page.getByRole('heading', { level: 1, name: /^Batch \d+$/ }).waitFor();
    await fact('Batch', 'Codes made').getByText('24', { exact: true }).waitFor();
    await scene.console.picture('detail-batch');

    const em = emOf(scene.cluster.world, scene.tenant.tenantId);
    const codes = await em.find(Code, { campaignId });
    const users = await signedUsers(scene.cluster.world, scene.tenant.tenantId, 3);
    for (const [at, user] of users.entries())
      await redeemOnce(scene.cluster.urls[1], {
        user,
        code: pick(
          codes.map(({ codeText }) => codeText ?? ''),
          at,
        ),
      });
    const redeemed = await em.count(Redemption, { campaignId });
    expect([codes.length, redeemed]).toEqual([25, 3]);
    await scene.console.goto(`/campaigns/${campaignId}`);
    await figure('Codes', codes.length).waitFor();
    await figure('Redemptions', redeemed).waitFor();
    await scene.console.goto('/overview');
    await figure('Redemptions', redeemed).waitFor();
    await scene.console.goto(`/codes?campaignId=${campaignId}&status=USED_UP`);
    await page.getByRole('status').getByText(`1–${redeemed} of ${redeemed}`).waitFor();
  });

  it('X.26 a large batch shows how far it is, and is cancelled after a word on what will happen', async () => {
    const { page } = scene.console;
    await scene.console.goto('/batches');
    const form = await addCodes('Generate codes');
    await form.getByLabel('Campaign').click();
    await page.getByRole('option', { name: 'Test campaign' }).click();
    await codesField(form).fill('2000000');
    await form.getByRole('button', { name: 'Generate' }).click();
    const progress = page.getByRole('region', { name: 'Generation' });
    await progress.getByText(/^\d[\d,]* of 2,000,000 codes$/).waitFor();
    await progress.getByText(/codes a second/).waitFor();
    await scene.console.picture('batch-under-way');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const question = page.getByRole('dialog', { name: 'Cancel' });
    await question.getByText('None of the codes of this batch can be redeemed.').waitFor();
    await question.getByRole('button', { name: 'Cancel', exact: true }).last().click();
    await page.getByText('The batch was cancelled.').waitFor();
    await fact('Batch', 'Status').getByText('CANCELLED').waitFor();
    await progress.waitFor({ state: 'detached' });
  });

  it('X.26 a batch is activated, extended, frozen, unfrozen and voided by the keyboard alone', async () => {
    const { page } = scene.console;
    const { batch } = await scene.cluster.world.services.generation.generate(scene.tenant.tenantId, {
      campaignId,
      count: 2,
      activateAtSale: true,
    });
    await scene.console.goto(`/batches/${batch.id}`);
    const state = fact('Batch', 'Status');
    await state.getByText('AWAITS SALE').waitFor();
    for (const [step, becomes] of [
      ['Activate', 'READY'],
      ['Freeze', 'FROZEN'],
      ['Unfreeze', 'READY'],
    ] as const) {
      await page.getByRole('button', { name: step, exact: true }).press('Enter');
      const question = page.getByRole('dialog', { name: step, exact: true });
      await question.getByRole('button', { name: step, exact: true }).press('Enter');
      await question.waitFor({ state: 'detached' });
      await state.getByText(becomes, { exact: true }).waitFor();
    }
    await page.getByRole('button', { name: 'Extend' }).press('Enter');
    const form = page.getByRole('dialog', { name: 'Extend the batch' });
    await form.getByLabel('New end').fill('2020-01-01T00:00');
    await form.getByRole('button', { name: 'Extend' }).press('Enter');
    // What was typed stays, and the server says what is wrong with it.
    await form.getByText(/An extension must end after/).waitFor();
    expect(await form.getByLabel('New end').inputValue()).toBe('2020-01-01T00:00');
    await form.getByLabel('New end').fill('2090-01-01T00:00');
    await form.getByRole('button', { name: 'Extend' }).press('Enter');
    await page.getByText('The batch was extended.').waitFor();
    await fact('Record', 'Extended to').getByText('2090').waitFor();
    await page.getByRole('button', { name: 'Void', exact: true }).press('Enter');
    const question = page.getByRole('dialog', { name: 'Void', exact: true });
    await question.getByLabel(`Type “${batch.id}” to confirm`).fill(batch.id);
    await page.keyboard.press('Enter');
    await state.getByText('VOID', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Freeze' }).count()).toBe(0);
  });

  it('S4.21 a pool is filled, and each of its codes is handed out once', async () => {
    const { page } = scene.console;
    await scene.console.goto(`/campaigns/${campaignId}`);
    const pool = page.getByRole('region', { name: 'Pool' });
    await pool.getByRole('button', { name: 'Set the size' }).click();
    const size = page.getByRole('dialog', { name: 'Size of the pool' });
    await size.getByLabel('Free codes to keep ready').fill('4');
    await size.getByRole('button', { name: 'Save' }).click();
    await size.waitFor({ state: 'detached' });
    await pool.getByRole('cell').first().getByText('4', { exact: true }).waitFor();
    const given: string[] = [];
    for (const count of ['1', '2']) {
      await pool.getByRole('button', { name: 'Hand codes out' }).click();
      const form = page.getByRole('dialog', { name: 'Hand codes out' });
      await codesField(form).fill(count);
      await form.getByRole('textbox', { name: 'Channel' }).fill('SHOP_7');
      await form.getByRole('button', { name: 'Hand out' }).click();
      const codes = page.getByRole('textbox', { name: 'Codes' }).and(page.locator('[readonly]'));
      given.push(...(await codes.inputValue()).split('\n'));
      await page.getByRole('button', { name: 'I have them' }).click();
    }
    expect([given.length, new Set(given).size]).toEqual([3, 3]);
  });
});

describe('X.12 files and forgiving input in the console', () => {
  it('X.12 a CSV file is taken, with a table of the refused lines, and comes out again with QR codes', async () => {
    const { page } = scene.console;
    await scene.console.goto(`/batches?campaignId=${campaignId}`);
    const form = await addCodes('Import a CSV file', 'Import codes');
    const lines = ['code,use_limit', 'FGN-0001,1', 'fgn0001,1', 'AB,1', 'FGN0002,many', 'FGN0003,0'];
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'console-')), 'old shop.csv');
    writeFileSync(file, lines.join('\r\n'));
    await form.locator('input[type=file]').setInputFiles(file);
    await form.getByRole('button', { name: 'Import' }).click();
    await fact('Import', 'State').getByText('finished').waitFor();
    await fact('Import', 'Codes taken').getByText('2', { exact: true }).waitFor();
    const refused = page.getByRole('table', { name: 'Refused lines' });
    await refused.getByRole('row').nth(3).waitFor();
    expect(await refused.getByRole('row').allTextContents()).toEqual([
      'LineReason',
      '3CODE_REPEATED',
      '4CODE_TEXT_NOT_ALLOWED',
      '5USE_LIMIT_OUT_OF_RANGE',
    ]);
    await scene.console.picture('import');
    expect(await scene.console.seriousFaults()).toEqual([]);
    const report = await saved(async () =>
      page
        .getByRole('region', { name: 'Refused lines' })
        .getByRole('button', { name: 'Save as CSV' })
        .click(),
    );
    expect([report.name, report.text.split(/\r?\n/)[1]]).toEqual(['refused.csv', '3,CODE_REPEATED']);
    const codes = await saved(async () => page.getByRole('button', { name: 'Save as CSV' }).first().click());
    expect(codes.text).toContain('FGN-0001,1');
    expect(codes.text).toContain('FGN0003,0');
    await page.getByRole('button', { name: 'QR codes' }).click();
    const qr = page.getByRole('dialog', { name: 'QR codes' });
    await qr.getByLabel('Address that a picture opens').fill('https://shop.example/r');
    await qr.getByRole('button', { name: 'Save' }).click();
    await qr.getByText('Write {code} where the code belongs.').waitFor();
    await qr.getByLabel('Address that a picture opens').fill('https://shop.example/r?code={code}');
    const sheet = await saved(async () => qr.getByRole('button', { name: 'Save' }).click());
    expect(sheet.text.match(/<figure>/g)).toHaveLength(2);
    // The same file again is the same import: nothing is taken twice.
    const { pathname } = new URL(page.url());
    await scene.console.goto(`/batches?campaignId=${campaignId}`);
    const again = await addCodes('Import a CSV file', 'Import codes');
    await again.locator('input[type=file]').setInputFiles(file);
    await again.getByRole('button', { name: 'Import' }).click();
    await page.waitForURL(({ pathname: reached }) => reached === pathname);
    await fact('Import', 'Codes taken').getByText('2', { exact: true }).waitFor();
  });

  it('X.12 a shared code of own choice is found however it is typed, and shows its QR code', async () => {
    const { page } = scene.console;
    await scene.console.goto(`/batches?campaignId=${campaignId}`);
    const form = await addCodes('Codes of your own choice');
    await codesField(form).fill('summer-2026');
    await form.getByLabel('Uses of each code').fill('500');
    await form.getByRole('button', { name: 'Add codes' }).click();
    await page.getByText('The codes were added.').waitFor();
    for (const typed of ['SUMMER-2026', ' summer2026 ', 'Summer 2026', '2026']) {
      await scene.console.goto(`/codes?text=${encodeURIComponent(typed)}`);
      await page
        .getByRole('table', { name: 'Codes' })
        .getByRole('link', { name: /summer-?2026/i })
        .waitFor();
    }
    await page.getByRole('link', { name: /summer-?2026/i }).click();
    await fact('State', 'Uses').getByText('0 of 500').waitFor();
    await page.getByRole('button', { name: 'QR code' }).click();
    await page.getByRole('img', { name: /QR code that says/ }).waitFor();
    await scene.console.picture('code-qr');
    expect(await scene.console.seriousFaults()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    const change = page.getByRole('dialog', { name: 'Change the code' });
    await change.getByLabel('Uses').fill('2');
    await change.getByRole('button', { name: 'Save' }).click();
    await fact('State', 'Uses').getByText('0 of 2').waitFor();
  });
});
