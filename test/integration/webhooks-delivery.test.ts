import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { LeaseLostError } from '../../src/platform/leases/fence.js';
import { LeaseRows } from '../../src/platform/leases/lease-rows.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { DeliveryQueue } from '../../src/webhooks/delivery-queue.js';
import { WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { isSignedWith, type Answer } from '../support/webhook-receiver.js';
import {
  deliveriesOf,
  hasten,
  newPath,
  openWebhookWorld,
  tell,
  WebhookScene,
  type WebhookWorld,
} from '../support/webhook-world.js';
import { emOf, redeem, seedCampaign, seedTenant, seedUser } from '../support/world.js';

const DAY_MS = 86_400_000;

let world: WebhookWorld;
let scene: WebhookScene;

beforeAll(async () => {
  world = await openWebhookWorld();
  await world.startWorkers();
});
beforeEach(async () => {
  scene = await WebhookScene.of(world);
});
afterAll(async () => world?.close());

describe('a webhook', () => {
  it('gets each event once, signed, by two workers, and what was before it not at all', async () => {
    await tell(world.here, scene.tenantId, 3);
    const { webhook, secret } = await scene.newWebhook();
    const seqs = await tell(world.here, scene.tenantId, 120);
    await expect.poll(async () => scene.delivered(webhook)).toBe(120);
    expect(scene.seqs()).toEqual(seqs);
    expect(scene.received().every((each) => isSignedWith(secret, each))).toBe(true);
    expect(
      scene.received().every((each) => each.headers['webhook-id'] === `${scene.tenantId}-${each.seq}`),
    ).toBe(true);
    const [first] = scene.received();
    expect(first && isSignedWith(secret, { ...first, body: `${first.body} ` })).toBe(false);
  });

  it('is told of a real redemption by public ids, never of its code or the digest', async () => {
    const tenant = await seedTenant(world.here);
    scene = new WebhookScene(world, tenant.tenantId);
    const { codes } = await seedCampaign(world.here, tenant, 1);
    const { webhook } = await scene.newWebhook(scene.path, { eventTypes: ['redemption.settled'] });
    const userId = await seedUser(world.here, scene.tenantId);
    await redeem(world.here, scene.tenantId, userId, codes[0] ?? '');
    await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.statusesOf(webhook)).toEqual(['DELIVERED']);
    const [{ body } = { body: '' }] = scene.received();
    const { payload } = await emOf(world.here, scene.tenantId).findOneOrFail(OutboxEvent, {
      type: 'redemption_settled',
    });
    expect(body).not.toContain(codes[0]);
    expect(body).not.toContain(payload['digest']);
    expect(JSON.parse(body)).toMatchObject({
      type: 'redemption.settled',
      data: { status: 'COMMITTED', redemptionId: payload['redemptionId'], userId, codeId: payload['codeId'] },
    });
    expect(scene.received()).toHaveLength(1);
  });

  it('is sent an event again with the same id after errors, silence and cut connections', async () => {
    const answers: Answer[] = [
      (_each, response) => response.writeHead(500).end('down\u0000 for now'),
      () => undefined,
      (_each, response) => response.destroy(),
    ];
    world.receiver.on(scene.path, (each, response) => {
      const answer = answers[scene.received().length - 1] ?? ((_each, its) => its.writeHead(200).end('ok'));
      answer(each, response);
    });
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    const last = async () => (await deliveriesOf(world.here, webhook))[0];
    for (const [attempts, failure, responseText] of [
      [1, 'RESPONSE_STATUS', 'down\u{FFFD} for now'],
      [2, 'TIMED_OUT', null],
      [3, 'CONNECTION_FAILED', null],
    ] as const) {
      await expect.poll(last).toMatchObject({ status: 'PENDING', attempts, failure, responseText });
      await expect.poll(async () => (await scene.rowOf(webhook)).failingSince).not.toBeNull();
      await hasten(world.here, webhook);
    }
    await expect
      .poll(last)
      .toMatchObject({ status: 'DELIVERED', attempts: 4, failure: null, responseText: 'ok' });
    expect(new Set(scene.received().map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(scene.received().map(({ body }) => body)).size).toBe(1);
    await expect.poll(async () => (await scene.rowOf(webhook)).failingSince).toBeNull();
  });

  it('is sent an event again when nothing listens at first', async () => {
    const gone = createServer();
    await once(gone.listen(0, '127.0.0.1'), 'listening');
    const { port } = gone.address() as AddressInfo;
    await once(gone.close(), 'close');
    const { webhook } = await scene.newWebhook();
    await scene.change(webhook, { url: `http://127.0.0.1:${port}/` });
    await tell(world.here, scene.tenantId);
    const last = async () => (await deliveriesOf(world.here, webhook))[0];
    await expect.poll(last).toMatchObject({ status: 'PENDING', attempts: 1, failure: 'CONNECTION_FAILED' });
    await scene.change(webhook, { url: world.receiver.urlOf(scene.path) });
    await hasten(world.here, webhook);
    await expect.poll(last).toMatchObject({ status: 'DELIVERED', attempts: 2 });
  });

  it('is disabled by 410 Gone, and others are told', async () => {
    world.receiver.on(scene.path, (_each, response) => response.writeHead(410).end());
    const { webhook } = await scene.newWebhook(scene.path, { eventTypes: ['campaign.changed'] });
    const other = newPath();
    await scene.newWebhook(other, { eventTypes: ['webhook.disabled'] });
    await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.statusesOf(webhook)).toEqual(['FAILED']);
    await expect
      .poll(async () => scene.rowOf(webhook))
      .toMatchObject({ status: 'DISABLED_BY_FAILURES', disabledReason: 'GONE', version: 2 });
    await expect.poll(() => world.receiver.at(other).length).toBe(1);
    expect(JSON.parse(world.receiver.at(other)[0]?.body ?? '')).toMatchObject({
      type: 'webhook.disabled',
      data: { webhookId: webhook.id, reason: 'GONE' },
    });
    await tell(world.here, scene.tenantId);
    await expect.poll(() => world.receiver.at(other).length).toBe(1);
    expect(scene.received()).toHaveLength(1);
  });

  it('is disabled after a week of failures alone, and not before', async () => {
    world.receiver.on(scene.path, (_each, response) => response.writeHead(500).end());
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    const attempts = async () => (await deliveriesOf(world.here, webhook))[0]?.attempts;
    await expect.poll(attempts).toBe(1);
    await expect.poll(async () => (await scene.rowOf(webhook)).failingSince).not.toBeNull();
    const sinceMs = (await scene.rowOf(webhook)).failingSince?.getTime() ?? 0;
    await scene.change(webhook, { failingSince: new Date(sinceMs - 7 * DAY_MS + 600_000) });
    await hasten(world.here, webhook);
    await expect.poll(attempts).toBe(2);
    expect((await scene.rowOf(webhook)).status).toBe('ENABLED');
    await scene.change(webhook, { failingSince: new Date(sinceMs - 7 * DAY_MS) });
    // A worker that read the webhook before this change judges the next attempt by that.
    const stateAfterAttempt = async () => {
      await hasten(world.here, webhook);
      return scene.rowOf(webhook);
    };
    await expect
      .poll(stateAfterAttempt)
      .toMatchObject({ status: 'DISABLED_BY_FAILURES', disabledReason: 'FAILURES' });
    const notices = await emOf(world.here, scene.tenantId).find(OutboxEvent, { type: 'webhook_disabled' });
    expect(notices.map(({ payload }) => payload)).toEqual([{ webhookId: webhook.id, reason: 'FAILURES' }]);
    await hasten(world.here, webhook);
    await expect.poll(async () => scene.statusesOf(webhook)).toEqual(['FAILED']);
  });

  it('gives a delivery up a day after its event', async () => {
    world.receiver.on(scene.path, (_each, response) => response.writeHead(503).end());
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    await expect.poll(async () => (await deliveriesOf(world.here, webhook))[0]?.attempts).toBe(1);
    await emOf(world.here, scene.tenantId).nativeUpdate(
      WebhookDelivery,
      { webhookId: webhook.id },
      { queuedAt: new Date(webhook.createdAt.getTime() - DAY_MS) },
    );
    await hasten(world.here, webhook);
    await expect.poll(async () => scene.statusesOf(webhook)).toEqual(['FAILED']);
    expect((await deliveriesOf(world.here, webhook))[0]).toMatchObject({ attempts: 2, responseStatus: 503 });
  });
});

describe('a worker that has lost a tenant', () => {
  it('queues nothing late: a delivery that was sent and deleted by age would be sent again', async () => {
    const { here } = world;
    const { tenantId } = scene;
    await scene.newWebhook();
    const leases = new LeaseRows(here.stores.orm, 1);
    const name = `webhooks of ${tenantId}`;
    const old = present(await leases.take(name), 'A fence');
    await expect.poll(async () => leases.take(name)).not.toBeNull();
    const queue = new DeliveryQueue(here.services.transactions, here.services.ids, () => undefined);
    const event = {
      tenantId,
      seq: 1000,
      type: 'campaign_changed',
      userId: null,
      payload: {},
      createdAt: new Date(),
    };
    await expect(queue.take(tenantId, [event], old)).rejects.toBeInstanceOf(LeaseLostError);
    expect(await emOf(here, tenantId).count(WebhookDelivery, { seq: 1000 })).toBe(0);
  });
});

describe('what staff send by hand', () => {
  it('is a test of one webhook, whatever it wants; others get nothing of it, also by a replay', async () => {
    const { webhook, secret } = await scene.newWebhook(scene.path, { eventTypes: ['order.paid'] });
    const otherPath = newPath();
    const { webhook: other } = await scene.newWebhook(otherPath);
    const { webhookSends, webhookReplays } = world.here.services;
    await webhookSends.test(scene.tenantId, webhook.id);
    await expect.poll(() => scene.received().length).toBe(1);
    const [received] = scene.received();
    expect(received !== undefined && isSignedWith(secret, received)).toBe(true);
    const event = { type: 'webhook.test', data: { webhookId: webhook.id } };
    expect(JSON.parse(received?.body ?? '')).toMatchObject(event);
    await tell(world.here, scene.tenantId);
    await webhookReplays.replay(scene.tenantId, other.id, '0');
    await expect.poll(() => world.receiver.at(otherPath).length).toBeGreaterThan(0);
    await expect.poll(async () => (await scene.rowOf(other)).replayAfterSeq ?? null).toBeNull();
    expect((await deliveriesOf(world.here, other)).map(({ eventType }) => eventType)).toEqual([
      'campaign.changed',
    ]);
  });

  it('is a delivery once more, with the id of its event', async () => {
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.delivered(webhook)).toBe(1);
    const [delivery] = await deliveriesOf(world.here, webhook);
    await world.there.services.webhookSends.resend(scene.tenantId, delivery?.id ?? '');
    await expect.poll(() => scene.received().length).toBe(2);
    await expect.poll(async () => scene.delivered(webhook)).toBe(1);
    expect(new Set(scene.received().map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});
