import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserSeal } from '../../src/audit/user-seal.entity.js';
import { AuthMethod, Device } from '../../src/identity/devices/device.entity.js';
import { Session } from '../../src/identity/sessions/session.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { duringOperation } from '../../src/platform/recording/current-operation.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RefusedAttempt } from '../../src/redemption/history/refused-attempt.entity.js';
import { WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { allOf, findingsOf } from '../support/audit.js';
import { newIdentifier, newSecret, seedDeviceTenant } from '../support/devices.js';
import { openShop, place as placeOrder, shopper } from '../support/orders.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { counted, refusedBy } from '../support/staff-world.js';
import { tracesOf } from '../support/traces.js';
import { emOf, openWorld, outcomeOf, redeem, seedCampaign, seedUser, type World } from '../support/world.js';

let world: World;
let other: World;
let api: ProductApi;
beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
  api = new ProductApi(world);
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

const ERASE = `mutation ($input: EraseUserInput!) { eraseUser(input: $input) { erasedAt errors { code message } } }`;
const erase = async (tenantId: string, input: object, by = staffOf(tenantId)) =>
  api.ask(by, ERASE, { input });

let made = 0;
const mark = (name: string): string => `mark${name}${(made += 1)}${Math.random().toString(36).slice(2, 8)}`;

/** A user who has left traces of every kind: by the tenant's own system, and on a device. */
async function tracedUser() {
  const tenant = await seedDeviceTenant(world);
  const { tenantId } = tenant;
  const { services } = world;
  const marks = { external: mark('x'), tag: mark('t'), client: mark('c'), address: '2001:db8:77:88' };
  const device = {
    identifier: mark('i'),
    userAgent: `Agent ${mark('u')}`,
    shortCode: mark('s').slice(0, 30),
  };
  const given = { externalUserId: marks.external, tags: [marks.tag] };
  const { userId } = await services.users.createUserToken(tenantId, given);
  const update = `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }`;
  const tags = [marks.tag, 'vip'];
  await api.ask(staffOf(tenantId), update, { input: { externalUserId: marks.external, tags } });
  const { linkCode } = await services.deviceLinks.create(tenantId, userId);
  const origin = { tenantId, ip: '2001:db8:77:88::9' };
  const session = await services.deviceLogins.login(origin, { ...device, secret: newSecret(), linkCode });
  const { codes } = await seedCampaign(world, tenant, 2);
  const from = { deviceId: marks.client, ip: '2001:db8:77:88::9' };
  expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? '', from))).toBe('COMMITTED');
  expect(outcomeOf(await redeem(world, tenantId, userId, 'ABCDEFGH23456789', from))).not.toBe('COMMITTED');
  await services.attemptLog.flush();
  const answer = mark('a');
  await addDelivery(tenantId, answer);
  const texts = [marks.external, marks.tag, marks.client, answer, ...Object.values(device)];
  return { tenant, tenantId, userId, marks, device, session, codes, texts, sessionId: session.sessionId };
}

/** What a receiver of the redemption's event has answered. */
async function addDelivery(tenantId: string, responseText: string): Promise<void> {
  const em = emOf(world, tenantId);
  const [{ seq }] = await em.execute<[{ seq: number }]>(
    `select seq from outbox_event where tenant_id = ? and type = 'redemption_settled'`,
    [tenantId],
  );
  const at = new Date(0);
  const row = {
    seq,
    eventType: 'redemption.settled',
    status: 'DELIVERED' as const,
    attempts: 1,
    responseText,
  };
  const none = {
    responseStatus: 200,
    failure: null,
    attemptedAt: at,
    nextAttemptAt: null,
    queuedAt: new Date(),
  };
  await em.insert(WebhookDelivery, {
    ...row,
    ...none,
    tenantId,
    id: world.services.ids.next(),
    webhookId: '1',
  });
}

describe('the erasure of a user', () => {
  it('leaves none of the personal data in any table or key; redemption, order and ledger stay', async () => {
    const { tenantId, userId, texts, marks, sessionId, session } = await tracedUser();
    const before = await tracesOf(world, tenantId, texts);
    // Where nothing was found, nothing could be missed.
    expect(texts.filter((text) => before[text]?.length === 0)).toEqual([]);
    expect(await world.services.externalUserIds.of(tenantId, userId)).toBe(marks.external);
    const refused = await erase(tenantId, { userId });
    expect(refusalIn(refused.data['eraseUser'])).toBe('USER_HOLDS_GOODS');
    expect(await emOf(world, tenantId).findOneOrFail(User, { id: userId })).toMatchObject({ erasedAt: null });
    const done = await erase(tenantId, { userId, giveUpHoldings: true });
    expect(done.data['eraseUser']?.['errors']).toEqual([]);
    const { [marks.address]: places = [], ...after } = await tracesOf(world, tenantId, [
      ...texts,
      marks.address,
    ]);
    // Windows of the address are of all who share it, and expire.
    expect(places.filter((place) => !place.startsWith('redis '))).toEqual([]);
    expect(after).toEqual(Object.fromEntries(texts.map((text) => [text, []])));
    expect(await world.services.externalUserIds.of(tenantId, userId)).toBe(`erased:${userId}`);
    for (const by of [world, other]) {
      await expect
        .poll(async () => by.services.access.refusalOf({ tenantId, userId, sessionId }))
        .toBe('USER_DISABLED');
    }
    expect(await refusedBy(world.services.deviceSessions.refresh(session.refreshToken))).not.toBe('TAKEN');
    const em = emOf(world, tenantId);
    expect(await em.find(Redemption, { userId })).toMatchObject([{ status: 'COMMITTED', deviceId: null }]);
    expect(await em.count(RefusedAttempt, { userId })).toBe(0);
    expect(await findingsOf(world, tenantId)).toEqual([]);
    const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
    expect(driftsOf(report)).toEqual({});
    // Nothing is erased a second time, and the first instant is the answer.
    const again = await erase(tenantId, { userId });
    expect(again.data['eraseUser']).toEqual({ ...done.data['eraseUser'] });
  });

  it('makes what the audit log tells of the user unreadable, with the chain intact', async () => {
    const { tenantId, userId, marks } = await tracedUser();
    const asked = `{ auditLog(filter: { targetId: "${userId}" }) { items { operation input changes { before after } } } }`;
    const log = async () => {
      const { data } = await api.ask(staffOf(tenantId), asked);
      return data['auditLog']?.['items'] as { operation: string }[];
    };
    const tags = [marks.tag, 'vip'];
    expect(await log()).toMatchObject([
      {
        operation: 'updateUser',
        input: { externalUserId: marks.external, tags },
        changes: [{ before: { tags: [marks.tag] }, after: { tags } }],
      },
    ]);
    await erase(tenantId, { userId, giveUpHoldings: true });
    const [erasure, update] = await log();
    expect(erasure).toEqual({
      operation: 'eraseUser',
      input: { userId, giveUpHoldings: true },
      changes: [],
    });
    const hidden = { externalUserId: '[erased]', tags: '[erased]' };
    expect(update).toMatchObject({ input: hidden, changes: [{ before: { tags: '[erased]' } }] });
    expect(await findingsOf(world, tenantId)).toEqual([]);
    const change = world.services.userChanges.update(tenantId, { userId, tags: ['new'] });
    expect(await refusedBy(change)).toBe('USER_ERASED');
  });

  it('at the command line, which names the user, leaves no key with which its own entry could be read', async () => {
    const { tenantId, userId, marks } = await tracedUser();
    const operation = {
      name: 'cli user erase',
      by: { kind: 'OPERATOR', tenantId: null, id: 'root', role: null, credentialId: null },
      ip: null,
      requestId: null,
      input: { user: marks.external },
      onUnrecorded: () => undefined,
    } as const;
    await duringOperation(operation, async () =>
      world.services.userErasure.erase(tenantId, { userId, giveUpHoldings: true }),
    );
    expect(await emOf(world, tenantId).count(UserSeal, { userId })).toBe(0);
    const asked = `{ auditLog(filter: { targetId: "${userId}" }) { items { operation input } } }`;
    const { data } = await api.ask(staffOf(tenantId), asked);
    const entry = { operation: 'cli user erase', input: { user: '[personal]' } };
    expect(data['auditLog']).toMatchObject({ items: [entry, {}] });
  });

  it('is for OWNER alone, and of users of the own tenant', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const userId = await seedUser(world, tenantId);
    const foreign = await seedDeviceTenant(world);
    const operator = await erase(tenantId, { userId }, staffOf(tenantId, 'OPERATOR'));
    expect(operator.errors).toEqual(['FORBIDDEN']);
    expect(refusalIn((await erase(foreign.tenantId, { userId })).data['eraseUser'])).toBe('USER_NOT_FOUND');
    expect(refusalIn((await erase(tenantId, { userId: 'x' })).data['eraseUser'])).toBe('USER_NOT_FOUND');
    expect(await emOf(world, tenantId).findOneOrFail(User, { id: userId })).toMatchObject({
      status: 'ACTIVE',
    });
  });

  it('beside redemptions comes before or after each of them, and meets what they have left', async () => {
    const tenant = await seedDeviceTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 12);
    const userId = await seedUser(world, tenantId);
    const client = mark('c');
    const redeeming = codes.map(async (code, at) => {
      const by = at % 2 === 0 ? world : other;
      return outcomeOf(await redeem(by, tenantId, userId, code, { deviceId: client }));
    });
    const erasing = [world, other].map(async ({ services }) =>
      services.userErasure.erase(tenantId, { userId, giveUpHoldings: true }),
    );
    const [outcomes, [first, second]] = await Promise.all([Promise.all(redeeming), Promise.all(erasing)]);
    expect(second).toEqual(first);
    const counts = counted(outcomes);
    const rows = await emOf(world, tenantId).find(Redemption, { userId, status: 'COMMITTED' });
    expect(rows).toHaveLength(counts['COMMITTED'] ?? 0);
    expect((counts['COMMITTED'] ?? 0) + (counts['USER_DISABLED'] ?? 0)).toBe(codes.length);
    expect(rows.every(({ deviceId }) => deviceId === null)).toBe(true);
    const version = await emOf(world, tenantId).findOneOrFail(User, { id: userId });
    expect(version).toMatchObject({ status: 'DISABLED', externalId: `erased:${userId}`, version: 2 });
    expect((await redeem(world, tenantId, userId, codes[0] ?? '')).status).toBe('REFUSED');
  });

  it('beside sign-ins leaves no session of the erased user: each signs in before it, or as a new user', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const device = { identifier: newIdentifier(), secret: newSecret() };
    const origin = { tenantId, ip: '127.0.0.1' };
    const { userId } = await world.services.deviceLogins.login(origin, device);
    const signing = Array.from({ length: 8 }, async (_none, at) =>
      refusedBy((at % 2 === 0 ? world : other).services.deviceLogins.login(origin, device)),
    );
    const [outcomes] = await Promise.all([
      Promise.all(signing),
      world.services.userErasure.erase(tenantId, { userId, giveUpHoldings: true }),
    ]);
    expect(outcomes.filter((outcome) => outcome !== 'TAKEN' && outcome !== 'USER_DISABLED')).toEqual([]);
    const em = emOf(world, tenantId);
    expect(await em.count(Session, { subjectId: userId, endedAt: null })).toBe(0);
    expect(await em.count(Device, { userId, unboundAt: null })).toBe(0);
    const methods = await em.find(AuthMethod, {});
    expect(methods.some((method) => method.userId === userId)).toBe(false);
    const back = await world.services.deviceLogins.login(origin, device);
    expect(back.userId).not.toBe(userId);
    expect(await em.count(User, {})).toBe(2);
  });
});

/** Does something in the middle of the next erasure, when everything is erased and nothing is committed. */
async function eraseWhile(tenantId: string, userId: string, work: () => Promise<void>): Promise<void> {
  const { userErasures, userErasure } = world.services;
  userErasures.push({ erase: work });
  try {
    await userErasure.erase(tenantId, { userId, giveUpHoldings: true });
  } finally {
    userErasures.pop();
  }
}

/** Whether something is over, or waits for a row that another transaction has locked. */
async function settledOrWaiting(tenantId: string, running: Promise<unknown>): Promise<void> {
  let isOver = false;
  void running.finally(() => (isOver = true)).catch(() => undefined);
  const waiting = async (): Promise<boolean> => {
    const [row] = await emOf(other, 'none').execute<[{ n: number }]>(
      `select count(*) as n from information_schema.processlist where db = database() and command <> 'Sleep'
        and info like '%user%' and info like ? and (info like '%for update' or info like '%lock in share mode')`,
      [`%${tenantId}%`],
    );
    return isOver || row.n > 0;
  };
  await expect.poll(waiting).toBe(true);
}

describe('the erasure of a user under way', () => {
  it('leaves no device in the tombstone of a redemption that comes too late', async () => {
    const tenant = await seedDeviceTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenantId);
    const client = mark('c');
    let redeeming: Promise<string> | undefined;
    await eraseWhile(tenantId, userId, async () => {
      const from = { deviceId: client };
      redeeming = redeem(other, tenantId, userId, codes[0] ?? '', from).then(outcomeOf);
      await settledOrWaiting(tenantId, redeeming);
    });
    expect(await redeeming).toBe('USER_DISABLED');
    const rows = await emOf(world, tenantId).find(Redemption, { userId });
    expect(rows).toMatchObject([{ status: 'ABORTED', deviceId: null }]);
    for (const each of [world, other]) await each.services.attemptLog.flush();
    const traces = await tracesOf(world, tenantId, [client]);
    // Windows of devices expire within a day.
    expect(traces[client]?.filter((place) => !place.includes(':rate:device:'))).toEqual([]);
  });

  it('drops refused attempts that a process has not written yet', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const [userId, kept] = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
    const attempt = async (by: World) => {
      for (const id of [userId, kept]) await redeem(by, tenantId, id, 'ABCDEFGH23456789', { deviceId: 'd' });
    };
    await Promise.all([attempt(world), attempt(other)]);
    let writing: Promise<void> | undefined;
    await eraseWhile(tenantId, userId, async () => {
      writing = other.services.attemptLog.flush();
      await settledOrWaiting(tenantId, writing);
    });
    await writing;
    await world.services.attemptLog.flush();
    const em = emOf(world, tenantId);
    const rows = await em.find(RefusedAttempt, {});
    expect(rows.map((row) => row.userId)).toEqual([kept, kept]);
  });

  it('refuses an order that comes too late', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    let placing: Promise<unknown> | undefined;
    await eraseWhile(shop.tenantId, userId, async () => {
      placing = refusedBy(placeOrder(other, shop, userId));
      await settledOrWaiting(shop.tenantId, placing);
    });
    expect(await placing).toBe('USER_DISABLED');
    expect(await emOf(world, shop.tenantId).count(Order, { userId })).toBe(0);
  });

  it('refuses a token with other tags, for the partner as for staff', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const ask = `mutation ($input: CreateUserTokenInput!) { createUserToken(input: $input) { errors { code } } }`;
    const byStaff = async (input: object) =>
      refusalIn((await new ProductApi(other).ask(staffOf(tenantId), ask, { input })).data['createUserToken']);
    const byPartner = async (input: object) =>
      refusedBy(other.services.users.createUserToken(tenantId, input));
    for (const sign of [byStaff, byPartner]) {
      const input = { externalUserId: mark('x'), tags: ['one'] };
      const { userId } = await world.services.users.createUserToken(tenantId, input);
      let signing: Promise<unknown> | undefined;
      await eraseWhile(tenantId, userId, async () => {
        signing = sign({ ...input, tags: ['two'] });
        await settledOrWaiting(tenantId, signing);
      });
      expect(await signing).toBe('USER_DISABLED');
      expect(await emOf(world, tenantId).findOneOrFail(User, { id: userId })).toMatchObject({ tags: [] });
      expect((await world.services.users.createUserToken(tenantId, input)).userId).not.toBe(userId);
    }
  });
});

describe('the export of a user', () => {
  it('has everything that names the user or is theirs, and no secret', async () => {
    const { tenantId, userId, marks, device, codes } = await tracedUser();
    const text = (await allOf(world.services.userExport.text(tenantId, userId))).join('');
    const all = JSON.parse(text) as Record<string, Record<string, unknown>[]>;
    expect(all['user']).toMatchObject({ id: userId, externalId: marks.external, tags: [marks.tag, 'vip'] });
    expect(all['device']).toMatchObject([device]);
    expect(all['redemption']).toMatchObject([{ userId, deviceId: marks.client }]);
    const tables = ['order', 'reward_grant', 'subscription', 'refused_attempt', 'session', 'auth_method'];
    expect(tables.filter((table) => all[table]?.length !== 1)).toEqual([]);
    const [subscription] = await emOf(world, tenantId).execute<[{ token: string; uuid: string }]>(
      'select token, uuid from subscription where tenant_id = ?',
      [tenantId],
    );
    for (const secret of [subscription.token, subscription.uuid, codes[0] ?? ''])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/digest|secret/i);
    await world.services.userErasure.erase(tenantId, { userId, giveUpHoldings: true });
    const left = (await allOf(world.services.userExport.text(tenantId, userId))).join('');
    for (const trace of [marks.external, marks.tag, marks.client, ...Object.values(device)])
      expect(left).not.toContain(trace);
    expect(await refusedBy(allOf(world.services.userExport.text(tenantId, '12')))).toBe('USER_NOT_FOUND');
  });

  it('knows every table that has a column of a user', async () => {
    const { tenantId, userId } = await tracedUser();
    const all = JSON.parse(
      (await allOf(other.services.userExport.text(tenantId, userId))).join(''),
    ) as object;
    const tables = await emOf(world, tenantId).execute<{ name: string }[]>(
      `select distinct table_name as name from information_schema.columns
        where table_schema = database() and column_name in ('user_id', 'from_user_id', 'to_user_id', 'assigned_user_id')`,
    );
    const missing = tables.map(({ name }) => name).filter((name) => !(name in all));
    expect(missing.toSorted()).toEqual(['device_link_code', 'outbox_event', 'user_seal']);
  });
});
