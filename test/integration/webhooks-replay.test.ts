import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';
import { OutgoingHttp } from '../../src/platform/outgoing/outgoing-http.js';
import { ConsumerCursor, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { activeKeyId } from '../../src/platform/sealed-secrets.js';
import { DeliveryAttempt } from '../../src/webhooks/delivery-attempt.js';
import { present } from '../../src/platform/assert.js';
import { DeliveryRows } from '../../src/webhooks/delivery-rows.js';
import { Webhook, WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { isSignedWith, type Received } from '../support/webhook-receiver.js';
import {
  deliveriesOf,
  newPath,
  newTenantId,
  openWebhookWorld,
  tell,
  WebhookScene,
  type WebhookWorld,
} from '../support/webhook-world.js';
import { statementsOf } from '../support/statements.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';
import { createScratchDatabase } from '../support/scratch-database.js';

const LOOPBACK = { address: '127.0.0.1', family: 4 };
const DAY_MS = 86_400_000;
const EXAMPLE = fileURLToPath(new URL('../../docs/examples/webhook-receiver.mjs', import.meta.url));

const rowsOf = ({ here }: WebhookWorld): DeliveryRows =>
  new DeliveryRows(here.stores.orm, here.services.transactions, 10_000);

/** The values of a delivery that is queued: tenant, id, webhook, number, type. */
const ROW_LENGTH = 5;

const chunks = (values: readonly unknown[], size: number): unknown[][] =>
  Array.from({ length: values.length / size }, (_none, at) => values.slice(at * size, (at + 1) * size));

/** Makes the deliveries wait again, for a day, so that no worker takes them. */
async function waitsAgain({ tenantId, id }: Webhook): Promise<void> {
  await emOf(world.here, tenantId).execute(
    `update webhook_delivery set status = 'PENDING', next_attempt_at = utc_timestamp(3) + interval 1 day
      where tenant_id = ? and webhook_id = ?`,
    [tenantId, id],
  );
}

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

describe('a rotated secret', () => {
  it('signs together with the one before it until its time is over, then alone', async () => {
    const { webhook, secret: before } = await scene.newWebhook();
    const rotated = await world.here.services.webhooks.update(scene.tenantId, webhook.id, {
      rotateSecret: true,
    });
    const after = rotated.secret ?? '';
    expect([after, before].every((secret) => /^whsec_[A-Za-z0-9+/]{43}=$/.test(secret))).toBe(true);
    await tell(world.here, scene.tenantId);
    await expect.poll(() => scene.received().length).toBe(1);
    const signedWith = (each: Received | undefined): boolean[] =>
      [after, before].map((secret) => each !== undefined && isSignedWith(secret, each));
    expect(signedWith(scene.received()[0])).toEqual([true, true]);
    await scene.change(webhook, { previousSecretUntil: new Date(webhook.createdAt.getTime() - 1) });
    await tell(world.here, scene.tenantId);
    await expect.poll(() => scene.received().length).toBe(2);
    expect(signedWith(scene.received()[1])).toEqual([true, false]);
  });

  it('is stored encrypted, and of no use in the row of another webhook', async () => {
    const { webhook, secret } = await scene.newWebhook();
    const other = await scene.newWebhook(newPath());
    const rows = await emOf(world.here, scene.tenantId).execute<{ kept: string }[]>(
      'select hex(secret) as kept from webhook where tenant_id = ?',
      [scene.tenantId],
    );
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64').toString('hex').toUpperCase();
    const text = Buffer.from(secret).toString('hex').toUpperCase();
    for (const { kept } of rows) expect(kept.includes(key) || kept.includes(text)).toBe(false);
    await scene.change(webhook, { secret: (await scene.rowOf(other.webhook)).secret });
    await tell(world.here, scene.tenantId);
    await expect
      .poll(async () => (await deliveriesOf(world.here, webhook))[0])
      .toMatchObject({ status: 'PENDING', failure: 'SECRET_UNREADABLE' });
    expect(scene.received()).toEqual([]);
  });
});

describe('a replay', () => {
  const replay = async (webhook: Webhook, after: string) =>
    world.here.services.webhookReplays.replay(scene.tenantId, webhook.id, after);

  it('sends everything behind the cursor again, with the same ids, also what was before the webhook', async () => {
    const before = await tell(world.here, scene.tenantId, 4);
    const { webhook, secret } = await scene.newWebhook();
    const seqs = await tell(world.here, scene.tenantId, 6);
    await expect.poll(() => scene.received().length).toBe(6);
    await replay(webhook, String(seqs[2]));
    await expect.poll(() => scene.received().length).toBe(9);
    expect(
      world.receiver
        .seqsAt(scene.path)
        .slice(6)
        .toSorted((a, b) => a - b),
    ).toEqual(seqs.slice(3));
    await replay(webhook, '0');
    await expect.poll(() => scene.received().length).toBe(19);
    expect(
      world.receiver
        .seqsAt(scene.path)
        .slice(9)
        .toSorted((a, b) => a - b),
    ).toEqual([...before, ...seqs]);
    expect(scene.received().every((each) => isSignedWith(secret, each))).toBe(true);
    await expect.poll(async () => new Set(await scene.statusesOf(webhook))).toEqual(new Set(['DELIVERED']));
    expect((await scene.rowOf(webhook)).replayAfterSeq ?? null).toBeNull();
  });

  it('spans many pages, and two workers send each event of it once', async () => {
    await tell(world.here, scene.tenantId, 1300, 'code_changed');
    const seqs = await tell(world.here, scene.tenantId, 40);
    const { webhook } = await scene.newWebhook();
    await replay(webhook, '0');
    await expect.poll(async () => scene.delivered(webhook)).toBe(40);
    expect(scene.seqs()).toEqual(seqs);
  });

  it('asked for twice is one that begins with the older event, whichever was asked for first', async () => {
    // In stores without a worker, so that none of it is done in between.
    const idle = await openWorld();
    const { tenantId } = await seedTenant(idle);
    const { webhooks, webhookReplays } = idle.services;
    const seqs = await tell(idle, tenantId, 10);
    const first = seqs[0] ?? 0;
    for (const order of [
      ['0', String(first + 4)],
      [String(first + 4), '0'],
    ]) {
      const { webhook } = await webhooks.create(tenantId, { url: 'https://shop.example/hook' });
      for (const after of order) await webhookReplays.replay(tenantId, webhook.id, after);
      const row = await emOf(idle, tenantId).findOneOrFail(Webhook, { id: webhook.id });
      expect([order, row.replayAfterSeq, row.replayUpToSeq]).toEqual([order, 0, seqs.at(-1)]);
    }
    await idle.close();
  });

  it('is queued in pages, each of them once by two processes at once', async () => {
    // A database of their own: they take the replays of all tenants.
    const database = await createScratchDatabase();
    const idle = await Promise.all([openWorld({}, database), openWorld({}, database)]);
    const [here, there] = idle;
    const { tenantId } = await seedTenant(here);
    const seqs = await tell(here, tenantId, 2300);
    const { webhook } = await here.services.webhooks.create(tenantId, { url: 'https://shop.example/hook' });
    await here.services.webhookReplays.replay(tenantId, webhook.id, '0');
    const queuedBy = async ({ stores, services }: World): Promise<number[]> => {
      const sent = await statementsOf(stores.orm, async () => services.webhookReplays.work());
      const inserts = sent.filter(({ query }) => query.includes('insert into webhook_delivery'));
      const rows = inserts.flatMap(({ params }) => chunks(params, ROW_LENGTH));
      return rows.filter(([tenant]) => tenant === tenantId).map(([, , , seq]) => Number(seq));
    };
    const queued = (await Promise.all([queuedBy(here), queuedBy(there)])).flat();
    expect(queued.toSorted((a, b) => a - b)).toEqual(seqs);
    await Promise.all(idle.map(async (each) => each.close()));
    await database.drop();
  });

  it('is refused where it cannot be done, and nothing is sent', async () => {
    const [first = 0] = await tell(world.here, scene.tenantId, 3);
    const { webhook } = await scene.newWebhook();
    await emOf(world.here, scene.tenantId).nativeDelete(OutboxEvent, { seq: first });
    await expect(replay(webhook, 'x')).rejects.toMatchObject({ code: 'CURSOR_MALFORMED' });
    await expect(replay(webhook, '99')).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    await expect(replay(webhook, '0')).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await expect(
      world.here.services.webhookReplays.replay(await newTenantId(world.here), webhook.id, '0'),
    ).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
    await world.here.services.webhooks.update(scene.tenantId, webhook.id, { enabled: false });
    await expect(replay(webhook, String(first))).rejects.toMatchObject({ code: 'WEBHOOK_DISABLED' });
    expect(await scene.rowOf(webhook)).toMatchObject({ replayAfterSeq: null });
    expect(await deliveriesOf(world.here, webhook)).toEqual([]);
  });
});

describe('deliveries', () => {
  it('to a receiver that hangs hold up neither the same tenant nor another', async () => {
    const hanging = newPath();
    world.receiver.on(hanging, () => undefined);
    const slow = await scene.newWebhook(hanging);
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId, 60);
    await expect.poll(async () => scene.delivered(webhook)).toBe(60);
    const waiting = (await deliveriesOf(world.here, slow.webhook)).filter(({ attempts }) => attempts === 0);
    expect(waiting.length).toBeGreaterThan(0);
    await world.here.services.webhooks.delete(scene.tenantId, slow.webhook.id);
    await expect.poll(async () => new Set(await scene.statusesOf(slow.webhook))).toEqual(new Set(['FAILED']));
  });

  it('do not follow a redirect to another address', async () => {
    const secretPath = newPath();
    world.receiver.on(scene.path, (_each, response) =>
      response.writeHead(307, { location: world.receiver.urlOf(secretPath) }).end(),
    );
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    await expect
      .poll(async () => (await deliveriesOf(world.here, webhook))[0])
      .toMatchObject({ status: 'PENDING', failure: 'RESPONSE_STATUS', responseStatus: 307 });
    expect(world.receiver.at(secretPath)).toEqual([]);
  });

  it.each([
    ['an address', 'https://127.0.0.1', {}],
    ['another spelling of it', 'https://0x7f000001', {}],
    ['a name', 'https://shop.example', { lookup: async () => Promise.resolve([LOOPBACK]) }],
  ])('never reach loopback without the list of networks, by %s', async (_name, origin, options) => {
    const { webhook } = await scene.newWebhook();
    const [seq = 0] = await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.delivered(webhook)).toBe(1);
    const { stores, services } = world.here;
    const outgoing = new OutgoingHttp(options);
    const secrets = services.webhookSecrets;
    const attempt = new DeliveryAttempt({ orm: stores.orm, outgoing, secrets, timeoutMs: 5000 });
    const { connections } = world.receiver;
    const { port, pathname } = new URL(webhook.url);
    const moved = Object.assign(webhook, { url: `${origin}:${port}${pathname}` });
    const of = { tenantId: scene.tenantId, seq };
    const attempted = await attempt.run(moved, of, webhook.createdAt.getTime(), new AbortController().signal);
    expect(attempted).toMatchObject({
      outcome: 'RETRY',
      failure: 'ADDRESS_NOT_ALLOWED',
      responseStatus: null,
    });
    expect(world.receiver.connections).toBe(connections);
  });

  it('are verified and handled once by the receiver of the documentation', async () => {
    const { webhook, secret } = await scene.newWebhook();
    const child = spawnTethered(process.execPath, [EXAMPLE], {
      output: 'pipe',
      env: { WEBHOOK_SECRET: secret, PORT: '0' },
    });
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const portOf = (): string | undefined => /listens on (\d+)/.exec(said)?.[1];
    await expect.poll(portOf).toBeDefined();
    await scene.change(webhook, { url: `http://127.0.0.1:${portOf()}/` });
    const [seq] = await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.statusesOf(webhook)).toEqual(['DELIVERED']);
    const sent = async () => (await deliveriesOf(world.here, webhook)).find((each) => each.seq === seq);
    const first = await sent();
    await world.here.services.webhookReplays.replay(scene.tenantId, webhook.id, '0');
    await expect.poll(async () => (await sent())?.queuedAt).not.toEqual(first?.queuedAt);
    await expect.poll(sent).toMatchObject({ status: 'DELIVERED', responseStatus: 204 });
    expect(said.match(new RegExp(`^${scene.tenantId}-${seq} campaign.changed`, 'gm'))).toHaveLength(1);
    const keyId = await activeKeyId(emOf(world.here, scene.tenantId));
    await scene.change(webhook, {
      secret: world.here.services.webhookSecrets.seal(webhook, `whsec_${'A'.repeat(44)}`, keyId),
    });
    await tell(world.here, scene.tenantId);
    await expect
      .poll(async () => (await deliveriesOf(world.here, webhook)).map(({ responseStatus }) => responseStatus))
      .toContain(401);
    child.kill();
  });

  it('are made once when the consumer gets its events again', async () => {
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId, 10);
    await expect.poll(async () => scene.delivered(webhook)).toBe(10);
    await emOf(world.here, scene.tenantId).nativeUpdate(ConsumerCursor, { consumer: 'webhooks' }, { seq: 0 });
    const [last = 0] = await tell(world.here, scene.tenantId);
    await expect.poll(() => world.receiver.seqsAt(scene.path).includes(last)).toBe(true);
    expect(scene.received()).toHaveLength(11);
    expect(await deliveriesOf(world.here, webhook)).toHaveLength(11);
  });

  it('stop while the webhook is disabled, and go on with what happens after it was enabled', async () => {
    const { webhook } = await scene.newWebhook();
    const { webhooks } = world.here.services;
    await webhooks.update(scene.tenantId, webhook.id, { enabled: false });
    await tell(world.here, scene.tenantId, 3);
    await webhooks.update(scene.tenantId, webhook.id, { enabled: true });
    const seqs = await tell(world.here, scene.tenantId, 2);
    await expect.poll(() => scene.received().length).toBe(2);
    expect(scene.seqs()).toEqual(seqs);
  });

  it('are not given up by a worker that saw the webhook disabled before it was enabled again', async () => {
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId, 2);
    await expect.poll(async () => scene.delivered(webhook)).toBe(2);
    await waitsAgain(webhook);
    const due = { tenantId: scene.tenantId, webhookId: webhook.id };
    await rowsOf(world).drop(due);
    expect(await scene.statusesOf(webhook)).toEqual(['PENDING', 'PENDING']);
    await scene.change(webhook, { status: 'DISABLED' });
    await rowsOf(world).drop(due);
    expect(await scene.statusesOf(webhook)).toEqual(['FAILED', 'FAILED']);
  });

  it('are sent once more where they were replayed while an attempt was under way', async () => {
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId);
    await expect.poll(async () => scene.delivered(webhook)).toBe(1);
    await waitsAgain(webhook);
    const [delivery = null] = await deliveriesOf(world.here, webhook);
    const result = { responseStatus: 204, responseText: null, failure: null };
    const leased = { delivery: present(delivery, 'The delivery'), leaseUntil: new Date() };
    const before = { ...leased.delivery, queuedAt: new Date(leased.delivery.queuedAt.getTime() - 1) };
    await rowsOf(world).delivered({ ...leased, delivery: before }, result);
    expect(await scene.statusesOf(webhook)).toEqual(['PENDING']);
    await rowsOf(world).delivered(leased, result);
    expect(await scene.statusesOf(webhook)).toEqual(['DELIVERED']);
  });

  it('are deleted when they are old, unless they wait', async () => {
    const { webhook } = await scene.newWebhook();
    await tell(world.here, scene.tenantId, 4);
    await expect.poll(async () => new Set(await scene.statusesOf(webhook))).toEqual(new Set(['DELIVERED']));
    const [old, waiting, young] = await deliveriesOf(world.here, webhook);
    const age = async (id: string | undefined, days: number, values: object = {}): Promise<void> => {
      await emOf(world.here, scene.tenantId).nativeUpdate(
        WebhookDelivery,
        { id: id ?? '' },
        { queuedAt: new Date((old?.queuedAt.getTime() ?? 0) - days * DAY_MS), ...values },
      );
    };
    const far = new Date((old?.queuedAt.getTime() ?? 0) + DAY_MS);
    await age(old?.id, 31);
    await age(waiting?.id, 31, { status: 'PENDING', nextAttemptAt: far });
    await age(young?.id, 29);
    await world.here.services.deliveryRetention.prune();
    const left = (await deliveriesOf(world.here, webhook)).map(({ id }) => id);
    expect(left).not.toContain(old?.id);
    expect(left).toHaveLength(3);
  });
});
