import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CursorLostError, operation, UnauthenticatedError } from '../../sdk/src/index.js';
import {
  createSubscriptions,
  type RedemptionSettledEvent,
  type Subscriptions,
  type SubscriptionsOptions,
} from '../../sdk/src/subscriptions.js';
import { signedUser, staffToken, type SignedUser } from '../support/cluster.js';
import { openDeviceWorld, type DeviceWorld } from '../support/device-world.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { inParallel } from '../support/redeemers.js';
import { MapStore } from '../support/sdk-store.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { truthOf } from '../support/truth.js';
import { cursorNow, redeem, seedCampaign, seedTenant } from '../support/world.js';

let setting: DeviceWorld;
let line: TcpForwarder;
let open: Subscriptions[] = [];
openBeforeAll(async (closing) => {
  setting = await closing(openDeviceWorld());
  line = await closing(TcpForwarder.start(Number(new URL(setting.url).port)));
});
afterEach(() => {
  for (const subscriptions of open) subscriptions.close();
  open = [];
});

const FAST = { firstPauseMs: 5, maxPauseMs: 50 };

function subscriptionsOf(
  user: Pick<SignedUser, 'token'>,
  more: Partial<SubscriptionsOptions> = {},
): Subscriptions {
  const url = `http://127.0.0.1:${line.port}`;
  const made = createSubscriptions({ url, env: 'web', token: user.token, retry: FAST, ...more });
  open.push(made);
  return made;
}

async function seeded(count: number) {
  const tenant = await seedTenant(setting.world);
  const { codes } = await seedCampaign(setting.world, tenant, count);
  return { ...tenant, codes, user: await signedUser(setting.world, tenant.tenantId) };
}

type Scene = Awaited<ReturnType<typeof seeded>>;

async function redeemAll({ tenantId, user }: Scene, codes: readonly string[]): Promise<void> {
  await inParallel(codes, async (code) => redeem(setting.world, tenantId, user.userId, code));
}

/** The redemptions of the tenant in the order of their events. */
async function settledIn({ tenantId }: Scene): Promise<string[]> {
  const { events } = await truthOf(setting.world, tenantId);
  return events
    .filter(({ type }) => type === 'redemption_settled')
    .toSorted((one, other) => one.seq - other.seq)
    .map(({ payload }) => String(payload['redemptionId']));
}

const idsOf = (events: readonly RedemptionSettledEvent[]): string[] =>
  events.map(({ redemptionId }) => redemptionId);

describe('a subscription of the SDK', () => {
  it('X.25 gets each event once and in order, however often its connection is cut', async () => {
    const scene = await seeded(60);
    const events: RedemptionSettledEvent[] = [];
    const states: string[] = [];
    const stream = subscriptionsOf(scene.user).onRedemptionSettled({
      after: '0',
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
    });
    for (let at = 0; at < scene.codes.length; at += 6) {
      const redeemed = redeemAll(scene, scene.codes.slice(at, at + 6));
      await pause(at);
      line.cut();
      await redeemed;
    }
    await expect.poll(() => events.length).toBe(60);
    expect(idsOf(events)).toEqual(await settledIn(scene));
    expect(states.filter((state) => state === 'WAITING').length).toBeGreaterThan(0);
    stream.close();
    await stream.closed;
    expect(states.at(-1)).toBe('CLOSED');
  });

  it('X.25 begins with the present, and misses nothing from there on, though no event has come when it is cut', async () => {
    const scene = await seeded(6);
    await redeemAll(scene, scene.codes.slice(0, 3));
    const past = await settledIn(scene);
    const stream = subscriptionsOf(scene.user).onRedemptionSettled();
    await expect.poll(() => stream.cursor).not.toBeNull();
    line.refuseNext();
    line.cut();
    await redeemAll(scene, scene.codes.slice(3));
    const seen: RedemptionSettledEvent[] = [];
    for await (const event of stream) if (seen.push(event) === 3) break;
    expect([...past, ...idsOf(seen)]).toEqual(await settledIn(scene));
  });

  it('goes on after a reload behind the last event that was handled', async () => {
    const scene = await seeded(10);
    await redeemAll(scene, scene.codes);
    const cursorStore = new MapStore();
    const seen: RedemptionSettledEvent[] = [];
    for await (const event of subscriptionsOf(scene.user, { cursorStore }).onRedemptionSettled({
      after: '0',
    })) {
      // The page dies while it handles this one.
      if (seen.length === 4) break;
      seen.push(event);
    }
    for await (const event of subscriptionsOf(scene.user, { cursorStore }).onRedemptionSettled()) {
      seen.push(event);
      if (seen.length === 10) break;
    }
    expect(idsOf(seen)).toEqual(await settledIn(scene));
    const stranger = await signedUser(setting.world, scene.tenantId);
    const other = subscriptionsOf(stranger, { cursorStore }).onRedemptionSettled();
    const now = await cursorNow(setting.world, scene.tenantId);
    await expect.poll(() => other.cursor).toBe(now);
  });

  it('holds no more than some hundred events for a slow reader, and misses none', async () => {
    const scene = await seeded(400);
    await redeemAll(scene, scene.codes);
    const states: string[] = [];
    const stream = subscriptionsOf(scene.user).onRedemptionSettled({
      after: '0',
      onState: (state) => states.push(state),
    });
    const expected = await settledIn(scene);
    const cursorAt = async (): Promise<number> => {
      await expect.poll(() => Number(stream.cursor ?? 0)).toBeGreaterThanOrEqual(256);
      return Number(stream.cursor);
    };
    expect(await cursorAt()).toBeLessThan(400);
    const seen: RedemptionSettledEvent[] = [];
    for await (const event of stream) if (seen.push(event) === 400) break;
    expect(idsOf(seen)).toEqual(expected);
    expect(states).not.toContain('WAITING');
  });

  it('takes another token for its next connection when the first has ended', async () => {
    const scene = await seeded(2);
    const { tokens } = setting.world.services;
    const { tenantId, userId } = scene.user;
    const asked: (string | null)[] = [];
    const token = (ask: { refused: string | null }): string => {
      asked.push(ask.refused);
      return tokens.sign({ kind: 'USER', tenantId, userId }, ask.refused === null ? 2 : 900);
    };
    const events: RedemptionSettledEvent[] = [];
    const waited: unknown[] = [];
    subscriptionsOf(scene.user, { token }).onRedemptionSettled({
      after: '0',
      onEvent: (event) => events.push(event),
      onState: (state, error) => state === 'WAITING' && waited.push(error),
    });
    await redeemAll(scene, scene.codes.slice(0, 1));
    await expect.poll(() => waited.length).toBe(1);
    expect(waited[0]).toBeInstanceOf(UnauthenticatedError);
    await redeemAll(scene, scene.codes.slice(1));
    await expect.poll(() => events.length).toBe(2);
    expect(asked.filter((refused) => refused !== null)).toHaveLength(1);
  });

  it('goes on after the source of tokens has failed, and ends where it says so for good', async () => {
    const scene = await seeded(1);
    const { tokens } = setting.world.services;
    const { tenantId, userId } = scene.user;
    const forbidden = async (): Promise<never> => Promise.reject(new Error('It is forbidden.'));
    const cursorStore = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };
    let failures = 0;
    const token = async ({ refused }: { refused: string | null }): Promise<string> => {
      if (refused !== null && (failures += 1) < 3) throw new TypeError('fetch failed');
      return tokens.sign({ kind: 'USER', tenantId, userId }, refused === null ? 1 : 900);
    };
    const stream = subscriptionsOf(scene.user, { token, cursorStore }).onRedemptionSettled({ after: '0' });
    await expect.poll(() => failures).toBeGreaterThan(2);
    await redeemAll(scene, scene.codes);
    expect((await stream.next()).value).toMatchObject({ useNo: 1 });
    const ended = new UnauthenticatedError('USER_DISABLED', 'The user is disabled.');
    const over = async ({ refused }: { refused: string | null }): Promise<string> => {
      if (refused !== null) throw ended;
      return 'no-token';
    };
    const closed = subscriptionsOf(scene.user, { token: over }).onRedemptionSettled();
    await expect(closed.closed).rejects.toBe(ended);
  });

  it('gives each of two readers at once an event of its own', async () => {
    const scene = await seeded(2);
    const stream = subscriptionsOf(scene.user).onRedemptionSettled({ after: '0' });
    const both = Promise.all([stream.next(), stream.next()]);
    await redeemAll(scene, scene.codes);
    const ids = (await both).map(({ value }) => value?.redemptionId);
    expect(ids).toEqual(await settledIn(scene));
    const [last, further] = [stream.next(), stream.next()];
    stream.close();
    expect([await last, await further]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('shows staff what happens in the tenant, by an operation of their own', async () => {
    const scene = await seeded(2);
    const after = await cursorNow(setting.world, scene.tenantId);
    const text = 'subscription Seen($after: String) { redemptionSettled(after: $after) { cursor useNo } }';
    const seen = operation<{ redemptionSettled: { cursor: string; useNo: number } }, { after?: string }>(
      text,
    );
    const token = staffToken(setting.world, scene.tenantId);
    const stream = subscriptionsOf({ token }).on(seen, {}, { after });
    await redeemAll(scene, scene.codes);
    expect((await stream.next()).value).toMatchObject({ useNo: 1 });
    expect((await stream.next()).value).toMatchObject({ useNo: 1 });
  });

  it('ends for good where another connection would end the same way', async () => {
    const { user } = await seeded(1);
    const unknown = subscriptionsOf(user).onRedemptionSettled({ after: '999999' });
    await expect(unknown.next()).rejects.toThrow(CursorLostError);
    await expect(unknown.closed).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    const refused = subscriptionsOf({ token: 'no-token' }).onRedemptionSettled();
    await expect(refused.closed).rejects.toThrow(UnauthenticatedError);
    const anonymous = createSubscriptions({ url: setting.url, env: 'web' }).onRedemptionSettled();
    await expect(anonymous.closed).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
