import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionKind } from '../../src/identity/sessions/session.entity.js';
import type { OpenedSession } from '../../src/identity/sessions/session.service.js';
import { DomainError } from '../../src/platform/errors.js';
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
afterAll(async () => Promise.all([world.close(), other.close()]));

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
    const sql = 'update session set expires_at = ? where tenant_id = ? and id = ?';
    await emOf(world, tenantId).execute(sql, [
      new Date(world.services.clock.nowMs() - 1),
      tenantId,
      sessionId,
    ]);
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
    const sql = 'update session set expires_at = ? where tenant_id = ? and id = ?';
    const daysAgo = (days: number) => new Date(clock.nowMs() - days * 86_400_000);
    await emOf(world, tenantId).execute(sql, [daysAgo(31), tenantId, old.sessionId]);
    await emOf(world, tenantId).execute(sql, [daysAgo(29), tenantId, young.sessionId]);
    const job = world.app.jobs.find(({ name }) => name === 'expired sessions deleted');
    if (job === undefined || !('run' in job)) throw new Error('There is no such job.');
    await job.run();
    expect(await stored(old.sessionId)).toBeUndefined();
    expect(await stored(young.sessionId)).toBeDefined();
  });
});
