import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor, PersonActor } from '../../src/graphql/actor.js';
import type { SessionKind } from '../../src/identity/sessions/session.entity.js';
import type { OpenedSession } from '../../src/identity/sessions/session.service.js';
import { DomainError } from '../../src/platform/errors.js';
import { ProductApi, refusalIn } from '../support/product-api.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

const SIDES = 20;
/** "Within seconds": less than an open session is remembered. */
const SEEN_WITHIN_MS = 5000;

let world: World;
let other: World;
let tenantId: string;

beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

interface Open extends OpenedSession {
  readonly subjectId: string;
}

async function open(kind: SessionKind = 'STAFF', tenant = tenantId): Promise<Open> {
  const subjectId = world.services.ids.next();
  const opened = await world.services.transactions.run(tenant, async (em) =>
    world.services.sessions.open(em, { tenantId: tenant, kind, subjectId }),
  );
  return { ...opened, subjectId };
}

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'TAKEN';
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

async function stored(sessionId: string) {
  const [row] = await emOf(world, tenantId).execute<Record<string, unknown>[]>(
    `select refresh_digest as digest, ended_reason as reason, changed_at as changedAt, expires_at as expiresAt
     from session where tenant_id = ? and id = ?`,
    [tenantId, sessionId],
  );
  return row;
}

async function expire(sessionId: string, atMs = world.services.clock.nowMs() - 1): Promise<void> {
  const sql = 'update session set expires_at = ? where tenant_id = ? and id = ?';
  await emOf(world, tenantId).execute(sql, [new Date(atMs), tenantId, sessionId]);
}

const refresh = async (token: string, kind: SessionKind = 'STAFF', by = world) =>
  by.services.sessions.refresh(kind, token);
const refusalOf = async (sessionId: string, by = world) =>
  by.services.access.refusalOf({ tenantId, sessionId });

describe('a refresh token', () => {
  it('is replaced by each refresh, and no change of the row is noted', async () => {
    const first = await open();
    const second = await refresh(first.refreshToken);
    expect(second).toMatchObject({ tenantId, sessionId: first.sessionId, subjectId: first.subjectId });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = await refresh(second.refreshToken);
    expect(await stored(first.sessionId)).toMatchObject({ reason: null, changedAt: null });
    expect(await outcome(refresh(third.refreshToken))).toBe('TAKEN');
  });

  it('is nowhere in the database', async () => {
    const { refreshToken, sessionId } = await open();
    const [, , family = '', secret = ''] = refreshToken.split('.');
    const row = JSON.stringify(
      await emOf(world, tenantId).execute('select * from session where id = ?', [sessionId]),
    );
    expect(row).not.toContain(secret);
    expect(row).not.toContain(family);
  });

  it('that comes a second time ends the session: the newest one and the access tokens are refused on every process', async () => {
    const { refreshToken, sessionId } = await open();
    const newest = await refresh(refreshToken);
    expect([await refusalOf(sessionId), await refusalOf(sessionId, other)]).toEqual([null, null]);
    expect(await outcome(refresh(refreshToken))).toBe('REFRESH_TOKEN_REUSED');
    expect(await stored(sessionId)).toMatchObject({ reason: 'REFRESH_TOKEN_REUSED' });
    expect(await outcome(refresh(newest.refreshToken))).toBe('SESSION_ENDED');
    expect(await refusalOf(sessionId)).toBe('SESSION_ENDED');
    await expect
      .poll(async () => refusalOf(sessionId, other), { timeout: SEEN_WITHIN_MS })
      .toBe('SESSION_ENDED');
  });

  it(`is taken from ${SIDES} sides at two processes exactly once, and the session ends`, async () => {
    const { refreshToken, sessionId } = await open();
    const sides = Array.from({ length: SIDES }, async (_, side) =>
      outcome(refresh(refreshToken, 'STAFF', side % 2 === 0 ? world : other)),
    );
    const counted = await Promise.all(sides);
    expect(counted.filter((each) => each === 'TAKEN')).toHaveLength(1);
    expect(counted.filter((each) => each === 'REFRESH_TOKEN_REUSED')).toHaveLength(1);
    expect(counted.filter((each) => each === 'SESSION_ENDED')).toHaveLength(SIDES - 2);
    expect(await refusalOf(sessionId)).toBe('SESSION_ENDED');
  });

  it('ends nothing where its family is wrong, its kind is another, or its session is not there', async () => {
    const { refreshToken, sessionId } = await open();
    const [tenant, session, family = '', secret = ''] = refreshToken.split('.');
    const [a, b] = ['a'.repeat(22), 'b'.repeat(43)];
    const wrong = [
      [tenant, session, a, b].join('.'),
      [tenant, session, a, secret].join('.'),
      [tenant, world.services.ids.next(), family, secret].join('.'),
      refreshToken.slice(0, -1),
      `${refreshToken}x`,
      '',
      'rkr_',
    ];
    for (const token of wrong) expect(await outcome(refresh(token))).toBe('REFRESH_TOKEN_UNKNOWN');
    expect(await outcome(refresh(refreshToken, 'DEVICE'))).toBe('REFRESH_TOKEN_UNKNOWN');
    expect(await refusalOf(sessionId)).toBeNull();
    expect(await outcome(refresh(refreshToken))).toBe('TAKEN');
  });

  it('of an expired session, or of a disabled tenant, is refused', async () => {
    const { refreshToken, sessionId } = await open();
    await expire(sessionId);
    expect(await outcome(refresh(refreshToken))).toBe('SESSION_ENDED');
    const own = await seedTenant(world);
    const disabled = await open('STAFF', own.tenantId);
    await world.services.tenantChanges.update(own.tenantId, { status: 'DISABLED' });
    expect(await outcome(refresh(disabled.refreshToken))).toBe('TENANT_NOT_ACTIVE');
  });
});

describe('sessions', () => {
  it('end by subject, all that are open and no other, and keep their first reason', async () => {
    const { sessions, transactions, ids } = world.services;
    const [subjectId, bystander] = [ids.next(), await open()];
    const mine = await transactions.run(tenantId, async (em) => [
      await sessions.open(em, { tenantId, kind: 'DEVICE', subjectId, deviceId: ids.next() }),
      await sessions.open(em, { tenantId, kind: 'DEVICE', subjectId }),
    ]);
    const meant = { tenantId, kind: 'DEVICE', subjectId } as const;
    const ended = await transactions.run(tenantId, async (em) => sessions.end(em, meant, 'DISABLED'));
    expect(ended.toSorted()).toEqual(mine.map(({ sessionId }) => sessionId).toSorted());
    const again = await transactions.run(tenantId, async (em) => sessions.end(em, meant, 'SIGNED_OUT'));
    expect(again).toEqual([]);
    for (const { sessionId } of mine) {
      expect(await stored(sessionId)).toMatchObject({ reason: 'DISABLED' });
      expect(await refusalOf(sessionId)).toBe('SESSION_ENDED');
    }
    expect(await refusalOf(bystander.sessionId)).toBeNull();
  });

  it('end by device', async () => {
    const { sessions, transactions, ids } = world.services;
    const [subjectId, deviceId] = [ids.next(), ids.next()];
    const [bound] = await transactions.run(tenantId, async (em) => [
      await sessions.open(em, { tenantId, kind: 'DEVICE', subjectId, deviceId }),
      await sessions.open(em, { tenantId, kind: 'DEVICE', subjectId, deviceId: ids.next() }),
    ]);
    const ended = await transactions.run(tenantId, async (em) =>
      sessions.end(em, { tenantId, deviceId }, 'UNBOUND'),
    );
    expect(ended).toEqual([bound?.sessionId]);
  });

  it('that changed beside many changed users are read once, and the tenant stays active', async () => {
    const { users, userChanges } = world.services;
    for (let at = 0; at < 3; at += 1) {
      const { userId } = await users.createUserToken(tenantId, { externalUserId: `changed-${at}` });
      await userChanges.update(tenantId, { userId, tags: [`t${at}`] });
    }
    const { sessionId } = await open();
    await world.services.transactions.run(tenantId, async (em) =>
      world.services.sessions.end(em, { tenantId, sessionId }, 'SIGNED_OUT'),
    );
    await expect
      .poll(async () => refusalOf(sessionId, other), { timeout: SEEN_WITHIN_MS })
      .toBe('SESSION_ENDED');
    expect(await other.services.access.refusalOf({ tenantId })).toBeNull();
  });

  it('are deleted a month after they expired', async () => {
    const { clock } = world.services;
    const [old, young] = [await open(), await open()];
    const daysAgo = (days: number) => clock.nowMs() - days * 86_400_000;
    await expire(old.sessionId, daysAgo(31));
    await expire(young.sessionId, daysAgo(29));
    const job = world.app.jobs.find(({ name }) => name === 'expired sessions deleted');
    if (job === undefined || !('run' in job)) throw new Error('There is no such job.');
    await job.run();
    expect(await stored(old.sessionId)).toBeUndefined();
    expect(await stored(young.sessionId)).toBeDefined();
  });
});

describe("one's own sessions", () => {
  const LIST = `query ($staffId: ID, $ended: Boolean) {
    staffSessions(staffId: $staffId, ended: $ended) { total items { id staffId userId ip endedReason isCurrent } } }`;
  const MINE = '{ mySessions { total items { id userId staffId kind isCurrent } } }';
  const END = `mutation ($input: EndSessionInput!) {
    endSession(input: $input) { session { id endedReason } errors { code field } } }`;
  const member = (
    session: Open,
    role: 'OWNER' | 'OPERATOR' = 'OPERATOR',
    tenant = tenantId,
  ): PersonActor => ({
    kind: 'STAFF',
    tenantId: tenant,
    staffId: session.subjectId,
    role,
    sessionId: session.sessionId,
  });
  const user = ({ subjectId: userId, sessionId }: Open): PersonActor => ({
    kind: 'USER',
    tenantId,
    userId,
    sessionId,
  });
  const end = async (actor: Actor, sessionId: string): Promise<string> =>
    refusalIn((await api.ask(actor, END, { input: { sessionId } })).data['endSession']) ?? 'ENDED';
  let api: ProductApi;
  beforeAll(() => {
    api = new ProductApi(world);
  });

  it('are listed for staff, those of others for OWNER alone, and never those of another tenant', async () => {
    const [mine, foreign] = [await open(), await open('STAFF', (await seedTenant(world)).tenantId)];
    const second = await world.services.transactions.run(tenantId, async (em) =>
      world.services.sessions.open(em, {
        tenantId,
        kind: 'STAFF',
        subjectId: mine.subjectId,
        ip: '192.0.2.7',
      }),
    );
    const owner = member(await open(), 'OWNER');
    const listed = async (actor: Actor, args: object = {}) =>
      (await api.ask(actor, LIST, { ...args })).data['staffSessions'];
    const item = { staffId: mine.subjectId, userId: null, endedReason: null };
    const both = [
      { ...item, id: second.sessionId, ip: '192.0.2.7', isCurrent: false },
      { ...item, id: mine.sessionId, ip: null, isCurrent: true },
    ];
    expect(await listed(member(mine))).toEqual({ total: 2, items: both });
    const others = { staffId: mine.subjectId };
    expect(await listed(owner, others)).toMatchObject({ total: 2 });
    expect(await listed(owner, { staffId: foreign.subjectId })).toEqual({ total: 0, items: [] });
    expect((await api.ask(member(await open()), LIST, others)).errors).toEqual(['FORBIDDEN']);
    expect(await end(owner, second.sessionId)).toBe('ENDED');
    expect(await listed(owner, others)).toMatchObject({ total: 1 });
    const all = { items: [{ endedReason: 'SIGNED_OUT' }, { endedReason: null }] };
    expect(await listed(owner, { ...others, ended: true })).toMatchObject(all);
    await expire(mine.sessionId);
    expect(await listed(owner, others)).toEqual({ total: 0, items: [] });
    expect(await listed(owner, { ...others, ended: true })).toMatchObject(all);
  });

  it('of a user are those of the own devices', async () => {
    const [mine, another] = [await open('DEVICE'), await open('DEVICE')];
    const items = [
      { id: mine.sessionId, userId: mine.subjectId, staffId: null, kind: 'DEVICE', isCurrent: true },
    ];
    expect((await api.ask(user(mine), MINE)).data['mySessions']).toEqual({ total: 1, items });
    expect(await end(user(mine), another.sessionId)).toBe('SESSION_NOT_FOUND');
    expect(await refusalOf(another.sessionId)).toBeNull();
  });

  it('end for their owner and for OWNER, on the other process within a second, and for no other caller', async () => {
    const [staff, device] = [await open(), await open('DEVICE')];
    const { tenantId: foreignTenant } = await seedTenant(world);
    const strangers = [
      member(await open()),
      user(device),
      member(await open('STAFF', foreignTenant), 'OWNER', foreignTenant),
    ];
    for (const stranger of strangers) expect(await end(stranger, staff.sessionId)).toBe('SESSION_NOT_FOUND');
    // Devices are the users': staff unbind them.
    expect(await end(member(await open(), 'OWNER'), device.sessionId)).toBe('SESSION_NOT_FOUND');
    for (const wrong of ['', '0', 'x', world.services.ids.next()])
      expect(await end(member(staff), wrong)).toBe('SESSION_NOT_FOUND');
    expect([await refusalOf(staff.sessionId), await refusalOf(staff.sessionId, other)]).toEqual([null, null]);
    expect(await end(member(staff), staff.sessionId)).toBe('ENDED');
    expect(await end(user(device), device.sessionId)).toBe('ENDED');
    const endedAtMs = performance.now();
    for (const { sessionId } of [staff, device]) {
      expect(await refusalOf(sessionId)).toBe('SESSION_ENDED');
      const seen = async () => refusalOf(sessionId, other);
      await expect.poll(seen, { interval: 20, timeout: SEEN_WITHIN_MS }).toBe('SESSION_ENDED');
    }
    expect(performance.now() - endedAtMs).toBeLessThan(SEEN_WITHIN_MS);
    expect(await outcome(refresh(staff.refreshToken))).toBe('SESSION_ENDED');
  });

  it(`ended from ${SIDES} sides at two processes end once, and beside a refresh for good`, async () => {
    const mine = await open();
    const actor = member(mine);
    const by = [world, other].map(({ services }) => services.sessionList);
    const refreshed = outcome(refresh(mine.refreshToken, 'STAFF', other));
    const sides = Array.from({ length: SIDES }, async (_, side) => by[side % 2]?.end(actor, mine.sessionId));
    const ended = await Promise.all(sides);
    await refreshed;
    expect(new Set(ended.map((each) => each?.endedAt?.getTime())).size).toBe(1);
    expect(await stored(mine.sessionId)).toMatchObject({ reason: 'SIGNED_OUT' });
    expect(await refusalOf(mine.sessionId, other)).toBe('SESSION_ENDED');
  });
});
