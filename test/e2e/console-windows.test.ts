import type { Locator } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { CouponTemplate } from '../../src/orders/coupons/coupon-template.entity.js';
import { Announcement } from '../../src/tenancy/announcements/announcement.entity.js';
import { consoleScene } from '../support/console-scene.js';
import { emOf, seedCampaign } from '../support/world.js';

/** Half an hour comes twice there on 2 April 2090, from 01:30: this is in the second, with seconds that no field shows. */
const END = new Date('2090-04-01T15:15:59.999Z');
const END_FIELD = '2090-04-02T01:45';
const END_TEXT = '2 Apr 2090, 01:45 GMT+10:30';
const NEW_FIELD = '2090-01-01T00:00';
const NEW = new Date('2089-12-31T13:00:00Z');
const NEW_TEXT = '1 Jan 2090, 00:00 GMT+11';

const scene = consoleScene();
beforeEach(async () => {
  const { tenantId } = scene.tenant;
  // The clock of the browser shows UTC.
  await scene.cluster.world.services.tenantChanges.update(tenantId, { timeZone: 'Australia/Lord_Howe' });
  await scene.signIn();
});

const em = () => emOf(scene.cluster.world, scene.tenant.tenantId);
const shows = async (text: string): Promise<void> => scene.console.page.getByText(text).first().waitFor();

async function openForm(button: string, title = button): Promise<Locator> {
  await scene.console.page.getByRole('button', { name: button, exact: true }).click();
  const form = scene.console.page.getByRole('dialog', { name: title });
  await form.getByText('Time of Australia/Lord_Howe.').first().waitFor();
  return form;
}

async function save(form: Locator, button = 'Save'): Promise<void> {
  await form.getByRole('button', { name: button, exact: true }).click();
  await form.waitFor({ state: 'detached' });
}

describe('X.26 a time that decides is in the time zone of the tenant', () => {
  it('X.26 in the window of a coupon template, whose end stays when its beginning is set', async () => {
    const { services } = scene.cluster.world;
    const { tenantId } = scene.tenant;
    await services.currencies.create(tenantId, { code: 'EUR', name: 'Euro', scale: 2 });
    const terms = { name: 'Five off', kind: 'AMOUNT', currency: 'EUR', amount: '5', endsAt: END };
    const { id } = await services.couponTemplates.create(tenantId, terms);
    await scene.console.goto('/coupon-templates');
    await shows(END_TEXT);
    await scene.console.goto(`/coupon-templates/${id}`);
    await shows(END_TEXT);
    const form = await openForm('Edit', 'Edit Five off');
    expect(await form.getByLabel('Issued until').inputValue()).toBe(END_FIELD);
    await form.getByLabel('Issued from').fill(NEW_FIELD);
    await save(form);
    await shows(NEW_TEXT);
    expect(await em().findOneOrFail(CouponTemplate, { id })).toMatchObject({ startsAt: NEW, endsAt: END });
  });

  it('X.26 in the end of a code; when it was issued is in the time zone of the browser', async () => {
    const { campaignId } = await seedCampaign(scene.cluster.world, scene.tenant, 1);
    await em().nativeUpdate(Code, {}, { expiresAt: END, issuedAt: new Date('2026-01-02T03:04:00Z') });
    const row = async () => em().findOneOrFail(Code, {});
    await scene.console.goto(`/codes?campaignId=${campaignId}`);
    await shows(END_TEXT);
    await shows('2 Jan 2026, 03:04');
    await scene.console.goto(`/codes/${(await row()).id}`);
    await shows(END_TEXT);
    await shows('2 Jan 2026, 03:04');
    const form = await openForm('Change', 'Change the code');
    expect(await form.getByLabel('Until').inputValue()).toBe(END_FIELD);
    await form.getByLabel('Uses').fill('3');
    await save(form);
    await shows('0 of 3');
    expect(await row()).toMatchObject({ useLimit: 3, expiresAt: END });
    const again = await openForm('Change', 'Change the code');
    await again.getByLabel('Until').fill(NEW_FIELD);
    await save(again);
    await shows(NEW_TEXT);
    expect(await row()).toMatchObject({ useLimit: 3, expiresAt: NEW });
  });

  it('X.26 in the new end of a batch', async () => {
    await seedCampaign(scene.cluster.world, scene.tenant, 1);
    const { id } = await em().findOneOrFail(CodeBatch, {});
    await scene.console.goto(`/batches/${id}`);
    const form = await openForm('Extend', 'Extend the batch');
    await form.getByLabel('New end').fill(NEW_FIELD);
    await save(form, 'Extend');
    await shows(NEW_TEXT);
    expect((await em().findOneOrFail(CodeBatch, { id })).extendedTo).toEqual(NEW);
  });

  it('X.26 in the window of an announcement, which stays when the title is changed', async () => {
    const { announcements } = scene.cluster.world.services;
    const { id } = await announcements.create(scene.tenant.tenantId, { title: 'Sale', endsAt: END });
    const row = async () => em().findOneOrFail(Announcement, { id });
    await scene.console.goto('/announcements');
    await shows(END_TEXT);
    const form = await openForm('Edit Sale');
    expect(await form.getByLabel('Until').inputValue()).toBe(END_FIELD);
    await form.getByLabel('Title').fill('Last sale');
    await save(form);
    await shows('Last sale');
    expect(await row()).toMatchObject({ title: 'Last sale', startsAt: null, endsAt: END });
    const again = await openForm('Edit Last sale');
    await again.getByLabel('From').fill(NEW_FIELD);
    await save(again);
    await shows(NEW_TEXT);
    expect(await row()).toMatchObject({ startsAt: NEW, endsAt: END });
  });
});
