import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  oneof,
  record,
  string,
  webUrl,
} from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { DeliveryRows } from '../../src/webhooks/delivery-rows.js';
import { Webhook, WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import type { DeliveryFilter } from '../../src/webhooks/webhook.service.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { counted } from '../support/staff-world.js';
import { statementsOf } from '../support/statements.js';
import { tell } from '../support/webhook-world.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
let tenantId: string;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
beforeEach(async () => {
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => world?.close());

const FIELDS = 'webhook { id url eventTypes status disabledReason previousSecretUntil version }';
const CREATE = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { ${FIELDS} secret errors { code field } } }`;
const UPDATE = `mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { ${FIELDS} secret errors { code field } } }`;
const DELETE = `mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) { webhookId errors { code } } }`;
const REPLAY = `mutation ($input: ReplayWebhookInput!) { replayWebhook(input: $input) { webhook { id } errors { code } } }`;
const LIST = `query ($status: WebhookStatus) { webhooks(filter: { status: $status }) { total items { id url } } }`;
const DELIVERIES = `query ($id: ID) { webhookDeliveries(filter: { webhookId: $id }) { total items { messageId cursor } } }`;
const URL = 'https://shop.example/hook';

type Answer = Record<string, unknown>;

async function ask(query: string, name: string, input: object, tenant = tenantId): Promise<Answer> {
  const { data, errors } = await api.ask(staffOf(tenant), query, { input });
  expect(errors).toEqual([]);
  return data[name] ?? {};
}
const create = async (input: object = { url: URL }) => ask(CREATE, 'createWebhook', input);
const update = async (input: object, tenant = tenantId) => ask(UPDATE, 'updateWebhook', input, tenant);
const idOf = ({ webhook }: Answer): string => (webhook as { id: string }).id;
const count = async (): Promise<number> => emOf(world, tenantId).count(Webhook, {});

describe('webhooks of a tenant', () => {
  it('are made, listed, changed and deleted, and the secret is shown once', async () => {
    const made = await create({
      url: 'https://Shop.example/a/../hook',
      eventTypes: ['order.paid', 'order.paid'],
    });
    expect(made).toMatchObject({
      webhook: { url: URL, eventTypes: ['order.paid'], status: 'ENABLED', version: 1 },
      errors: [],
    });
    expect(made['secret']).toMatch(/^whsec_/);
    const webhookId = idOf(made);
    const changed = await update({ webhookId, eventTypes: [], enabled: false });
    expect(changed).toMatchObject({
      webhook: { eventTypes: [], status: 'DISABLED', version: 2 },
      secret: null,
    });
    const { data } = await api.ask(staffOf(tenantId, 'AUDITOR'), LIST, { status: 'DISABLED' });
    expect(data['webhooks']).toEqual({ total: 1, items: [{ id: webhookId, url: URL }] });
    expect(await ask(DELETE, 'deleteWebhook', { webhookId })).toEqual({ webhookId, errors: [] });
    expect(refusalIn(await ask(DELETE, 'deleteWebhook', { webhookId }))).toBe('WEBHOOK_NOT_FOUND');
    expect(await count()).toBe(0);
  });

  it('belong to their tenant: another one neither sees nor changes them', async () => {
    const webhookId = idOf(await create());
    const other = (await seedTenant(world)).tenantId;
    expect(refusalIn(await update({ webhookId, enabled: false }, other))).toBe('WEBHOOK_NOT_FOUND');
    expect(refusalIn(await ask(DELETE, 'deleteWebhook', { webhookId }, other))).toBe('WEBHOOK_NOT_FOUND');
    const replay = { webhookId, after: '0' };
    expect(refusalIn(await ask(REPLAY, 'replayWebhook', replay, other))).toBe('WEBHOOK_NOT_FOUND');
    const { data } = await api.ask(staffOf(other), LIST);
    expect(data['webhooks']).toMatchObject({ total: 0 });
    const seen = await api.ask(staffOf(other), DELIVERIES, { id: webhookId });
    expect(seen.data['webhookDeliveries']).toEqual({ total: 0, items: [] });
    expect(await emOf(world, tenantId).findOne(Webhook, { id: webhookId })).toMatchObject({
      status: 'ENABLED',
    });
  });

  it('are changed by OWNER and OPERATOR alone', async () => {
    const webhookId = idOf(await create());
    const auditor = staffOf(tenantId, 'AUDITOR');
    for (const [query, input] of [
      [CREATE, { url: URL }],
      [UPDATE, { webhookId, enabled: false }],
      [DELETE, { webhookId }],
      [REPLAY, { webhookId, after: '0' }],
    ] as const)
      expect((await api.ask(auditor, query, { input })).errors).toEqual(['FORBIDDEN']);
    const user = { kind: 'USER', tenantId, userId: '1' } as const;
    for (const query of [LIST, DELIVERIES])
      expect((await api.ask(user, query)).errors).toEqual(['FORBIDDEN']);
    expect(await count()).toBe(1);
  });

  it.each([
    ['http://shop.example/', 'WEBHOOK_URL_NOT_ALLOWED'],
    ['https://127.0.0.1/', 'WEBHOOK_URL_NOT_ALLOWED'],
    ['https://2130706433/', 'WEBHOOK_URL_NOT_ALLOWED'],
    ['https://[::ffff:169.254.169.254]/', 'WEBHOOK_URL_NOT_ALLOWED'],
    ['https://localhost:4000/', 'WEBHOOK_URL_NOT_ALLOWED'],
    ['https://user:pass@shop.example/', 'WEBHOOK_URL_NOT_ALLOWED'],
    [`https://shop.example/${'a'.repeat(1000)}`, 'WEBHOOK_URL_NOT_ALLOWED'],
    [`https://shop.example/${'ü'.repeat(400)}`, 'WEBHOOK_URL_NOT_ALLOWED'],
  ])('do not lead to %.60s', async (url, code) => {
    expect(await create({ url })).toMatchObject({
      webhook: null,
      secret: null,
      errors: [{ code, field: ['input', 'url'] }],
    });
    expect(await count()).toBe(0);
  });

  it('refuse events that are not offered, and hours out of range', async () => {
    expect(refusalIn(await create({ url: URL, eventTypes: ['code_changed'] }))).toBe('EVENT_TYPE_UNKNOWN');
    expect(refusalIn(await create({ url: URL, eventTypes: ['toString'] }))).toBe('EVENT_TYPE_UNKNOWN');
    const webhookId = idOf(await create());
    const hours = { webhookId, rotateSecret: true, previousSecretHours: 169 };
    expect(refusalIn(await update(hours))).toBe('INPUT_NOT_ALLOWED');
    expect(await emOf(world, tenantId).findOne(Webhook, { id: webhookId })).toMatchObject({ version: 1 });
  });
});

describe('races', () => {
  it('thirty that are made at once become twenty', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, async () => create()));
    expect(answers.filter((answer) => refusalIn(answer) === undefined)).toHaveLength(20);
    expect(answers.filter((answer) => refusalIn(answer) === 'WEBHOOK_LIMIT_REACHED')).toHaveLength(10);
    expect(await count()).toBe(20);
  });

  it('of ten changes made from one version one is done', async () => {
    const webhookId = idOf(await create());
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, at) =>
        update({ webhookId, url: `https://shop.example/${at}`, rotateSecret: true, expectedVersion: 1 }),
      ),
    );
    const done = answers.filter((answer) => refusalIn(answer) === undefined);
    expect(done).toHaveLength(1);
    expect(answers.filter((answer) => refusalIn(answer) === 'VERSION_CONFLICT')).toHaveLength(9);
    const row = await emOf(world, tenantId).findOneOrFail(Webhook, { id: webhookId });
    expect(done[0]).toMatchObject({ webhook: { version: row.version, url: row.url } });
    expect(row.version).toBe(2);
  });

  it('of rotations at once the last two secrets sign, and each change counts', async () => {
    const webhookId = idOf(await create());
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () =>
        update({ webhookId, rotateSecret: true, previousSecretHours: 1 }),
      ),
    );
    const versions = answers.map(({ webhook }) => (webhook as { version: number }).version);
    expect(versions.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7]);
    const row = await emOf(world, tenantId).findOneOrFail(Webhook, { id: webhookId });
    const secretOf = (version: number): unknown => answers[versions.indexOf(version)]?.['secret'];
    const valid = world.services.webhookSecrets.valid(row, row.updatedAt.getTime());
    expect(valid).toEqual([secretOf(7), secretOf(6)]);
  });
});

describe('bad input', () => {
  const part = string({ unit: 'binary', maxLength: 40 });
  const scheme = constantFrom('http', 'ftp', 'file', 'ws', 'https+unix', 'javascript', '');
  const privateHost = oneof(
    integer({ min: 0x7f000000, max: 0x7fffffff }).map(String),
    integer({ min: 0x0a000000, max: 0x0affffff }).map((n) => `0x${n.toString(16)}`),
    integer({ min: 0, max: 255 }).map((n) => `192.168.${n}.1`),
    integer({ min: 0, max: 0xffff }).map((n) => `[fd00::${n.toString(16)}]`),
    integer({ min: 0, max: 0xff }).map((n) => `[64:ff9b::a00:${n.toString(16)}]`),
    integer({ min: 0, max: 255 }).map((n) => `0251.0376.0.${n}`),
  );
  const badUrl = oneof(
    part.filter((text) => !/^\s*https:/i.test(text)),
    record({ scheme, rest: webUrl() }).map(({ scheme: of, rest }) => `${of}${rest.slice(rest.indexOf(':'))}`),
    privateHost.map((host) => `https://${host}/`),
    record({ name: string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }) }).map(
      ({ name }) => `https://${encodeURIComponent(name)}:x@shop.example/`,
    ),
    webUrl({ validSchemes: ['https'] }).map(
      (url) => `${url}${url.includes('?') ? '&' : '?'}${'q'.repeat(1000)}`,
    ),
  );

  it('is answered by a refusal of the field, and writes nothing: 300 URLs and lists of types', async () => {
    const expected = { url: 'WEBHOOK_URL_NOT_ALLOWED', eventTypes: 'EVENT_TYPE_UNKNOWN' };
    await assert(
      asyncProperty(badUrl, array(part, { minLength: 1, maxLength: 5 }), async (url, eventTypes) => {
        expect([url, refusalIn(await create({ url }))]).toEqual([url, expected.url]);
        expect(refusalIn(await create({ url: URL, eventTypes }))).toBe(expected.eventTypes);
      }),
      { seed: 2026, numRuns: 300 },
    );
    expect(await count()).toBe(0);
  });

  it('as an id or a cursor names nothing: 150 of each', async () => {
    const webhookId = idOf(await create());
    const badCursor = part.filter((text) => !/^(0|[1-9]\d{0,14})(-[1-9]\d{0,3})?$/.test(text));
    await assert(
      asyncProperty(part, badCursor, async (id, after) => {
        expect(refusalIn(await update({ webhookId: id, enabled: false }))).toBe('WEBHOOK_NOT_FOUND');
        expect(refusalIn(await ask(REPLAY, 'replayWebhook', { webhookId, after }))).toBe('CURSOR_MALFORMED');
      }),
      { seed: 2026, numRuns: 150 },
    );
    expect(await emOf(world, tenantId).findOne(Webhook, { id: webhookId })).toMatchObject({ version: 1 });
  });
});

describe('a delivery that is to be sent again', () => {
  const RESEND = `mutation ($input: ResendWebhookDeliveryInput!) { resendWebhookDelivery(input: $input) {
    delivery { id messageId status attempts } errors { code field } } }`;
  const TEST = `mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { webhook { id } errors { code } } }`;
  const resend = async (deliveryId: string, tenant = tenantId): Promise<string> => {
    const answer = await ask(RESEND, 'resendWebhookDelivery', { deliveryId }, tenant);
    const code = refusalIn(answer);
    // Its input has no other field.
    if (code !== undefined) expect(answer['errors']).toEqual([{ code, field: ['input', 'deliveryId'] }]);
    return code ?? 'DONE';
  };
  const test = async (webhookId: string, tenant = tenantId): Promise<string> =>
    refusalIn(await ask(TEST, 'sendTestEvent', { webhookId }, tenant)) ?? 'DONE';

  /** A webhook with one delivery of an event, which was delivered. No worker sends anything here. */
  async function delivered() {
    const webhookId = idOf(await create());
    const [seq = 0] = await tell(world, tenantId);
    const deliveryId = world.services.ids.next();
    const at = new Date(world.services.clock.nowMs() - 600_000);
    const row = { webhookId, seq, eventType: 'campaign.changed', attempts: 3, queuedAt: at, attemptedAt: at };
    await emOf(world, tenantId).insert(WebhookDelivery, {
      ...row,
      tenantId,
      id: deliveryId,
      status: 'DELIVERED',
    });
    return { webhookId, deliveryId, seq, queuedAt: at };
  }

  it('is queued by one of twenty calls at once, and not while an attempt is under way', async () => {
    const { webhookId, deliveryId, queuedAt } = await delivered();
    const calls = await Promise.all(Array.from({ length: 20 }, async () => resend(deliveryId)));
    expect(counted(calls)).toEqual({ DONE: 1, DELIVERY_UNDER_WAY: 19 });
    // Its time for attempts begins again, and an answer to an earlier attempt does not count.
    const row = await emOf(world, tenantId).findOneOrFail(WebhookDelivery, { id: deliveryId });
    expect(row).toMatchObject({ status: 'PENDING', attempts: 0 });
    expect(row.queuedAt.getTime()).toBeGreaterThan(queuedAt.getTime());
    const rows = new DeliveryRows(world.stores.orm, world.services.transactions, 15_000);
    const leased = await rows.lease({ tenantId, id: webhookId }, 4);
    expect(leased).toHaveLength(1);
    expect(await resend(deliveryId)).toBe('DELIVERY_UNDER_WAY');
    expect(await rows.lease({ tenantId, id: webhookId }, 4)).toHaveLength(0);
    const [first] = leased;
    const later = new Date(world.services.clock.nowMs() + 3_600_000);
    const failure = { responseStatus: null, responseText: null, failure: 'TIMED_OUT' };
    if (first !== undefined) await rows.failed(first, failure, later);
    // Its next attempt is an hour away.
    expect(await resend(deliveryId)).toBe('DONE');
    expect(await rows.lease({ tenantId, id: webhookId }, 4)).toHaveLength(1);
  });

  it('is refused where there is nothing to send, or no enabled receiver', async () => {
    const { webhookId, deliveryId, seq } = await delivered();
    const other = (await seedTenant(world)).tenantId;
    expect(await resend(deliveryId, other)).toBe('DELIVERY_NOT_FOUND');
    expect(await test(webhookId, other)).toBe('WEBHOOK_NOT_FOUND');
    for (const wrong of ['', '0', 'x']) {
      expect(await resend(wrong)).toBe('DELIVERY_NOT_FOUND');
      expect(await test(wrong)).toBe('WEBHOOK_NOT_FOUND');
    }
    await emOf(world, tenantId).nativeDelete(OutboxEvent, { seq });
    expect(await resend(deliveryId)).toBe('EVENT_EXPIRED');
    await update({ webhookId, enabled: false });
    expect(await resend(deliveryId)).toBe('WEBHOOK_DISABLED');
    expect(await test(webhookId)).toBe('WEBHOOK_DISABLED');
    await ask(DELETE, 'deleteWebhook', { webhookId });
    expect(await resend(deliveryId)).toBe('WEBHOOK_NOT_FOUND');
    const row = await emOf(world, tenantId).findOneOrFail(WebhookDelivery, { id: deliveryId });
    expect(row).toMatchObject({ status: 'DELIVERED', attempts: 3 });
    expect((await api.ask(staffOf(tenantId, 'AUDITOR'), TEST, { input: { webhookId } })).errors).toEqual([
      'FORBIDDEN',
    ]);
  });

  it('is found by its status by the index that has it', async () => {
    const { webhookId, deliveryId } = await delivered();
    const list = async (filter: DeliveryFilter) => {
      const page = { offset: 0, size: 15 };
      const read = async () => world.services.webhooks.deliveries(tenantId, filter, page);
      let found: string[] = [];
      const sent = await statementsOf(world.stores.readOrm, async () => {
        found = (await read()).items.map(({ id }) => id);
      });
      return [/force index \((\w+)\)/.exec(sent[0]?.query ?? '')?.[1], found];
    };
    const prefix = 'ix_webhook_delivery__';
    expect(await list({ status: 'DELIVERED' })).toEqual([`${prefix}status`, [deliveryId]]);
    expect(await list({ status: 'FAILED' })).toEqual([`${prefix}status`, []]);
    expect(await list({ status: 'DELIVERED', webhookId })).toEqual([`${prefix}webhook_status`, [deliveryId]]);
    expect(await list({ webhookId })).toEqual([`${prefix}webhook`, [deliveryId]]);
    expect(await list({})).toEqual([undefined, [deliveryId]]);
  });
});
