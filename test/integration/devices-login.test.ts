import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Device } from '../../src/identity/devices/device.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import {
  accessOf,
  deviceLogin,
  linkCodeOf,
  newIdentifier,
  newSecret,
  outcomeOf,
  refreshDevice,
  seedDeviceTenant,
} from '../support/devices.js';
import {
  MADE_NOTHING,
  openDeviceWorld,
  parallel,
  rowsMade,
  tally,
  type DeviceWorld,
} from '../support/device-world.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { holdRows } from '../support/row-lock.js';
import { emOf, type World } from '../support/world.js';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1';

let opened: DeviceWorld;
let world: World;
let url: string;
beforeAll(async () => {
  opened = await openDeviceWorld();
  ({ world, url } = opened);
});
afterAll(async () => opened?.close());

const staff = (tenantId: string): string =>
  world.services.tokens.sign({ kind: 'STAFF', tenantId, staffId: 'staff-1', role: 'OWNER' }, 900);
const made = async (tenantId: string) => rowsMade(world, tenantId);

const TRIAL = { trialUnit: 'DAY', trialQuantity: 3 };
const withTrial = ({ planId }: { planId: string }) => ({ register: { ...TRIAL, trialPlanId: planId } });

describe('S1.1: an unknown identifier', () => {
  it('makes user, auth method and device, and gets a token that works', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const identifier = newIdentifier();
    const first = await deviceLogin(url, tenantId, { identifier, userAgent: IPHONE });
    expect(outcomeOf(first)).toBe('OK');
    expect(first.isNewUser).toBe(true);
    expect(first.deviceSecret).toMatch(/^[\w-]{43}$/);
    expect(await made(tenantId)).toEqual({ ...MADE_NOTHING, users: 1, methods: 1, devices: 1, sessions: 1 });
    const query =
      '{ viewer { kind user { id } } myDevices { id identifier agent { browser system platform } } }';
    const { data } = await graphqlRequest(url, { query, token: first.accessToken });
    expect(data).toEqual({
      viewer: { kind: 'USER', user: { id: first.userId } },
      myDevices: [
        {
          id: first.deviceId,
          identifier,
          agent: { browser: 'Safari 17.0', system: 'iOS 17.0', platform: 'mobile' },
        },
      ],
    });
  });

  it('makes nothing when its last step fails: all of it is one transaction', async () => {
    const { tenantId } = await seedDeviceTenant(world, withTrial);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const origin = { tenantId, ip: '127.0.0.1' };
    const giveTrial = vi.spyOn(world.services.trials, 'giveTrial').mockImplementation(async (em) => {
      // User, auth method and device are there.
      expect(await em.count(Device, {})).toBe(1);
      throw new Error('The plan is on fire.');
    });
    await expect(world.services.deviceLogins.login(origin, input)).rejects.toThrow('on fire');
    giveTrial.mockRestore();
    expect(await made(tenantId)).toEqual(MADE_NOTHING);
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('OK');
    const one = { users: 1, methods: 1, devices: 1, trials: 1, subscriptions: 1, sessions: 1 };
    expect(await made(tenantId)).toEqual(one);
  });

  it('is refused without a tenant, by a tenant that is not there, and with input that is not allowed', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const identifier = newIdentifier();
    expect(outcomeOf(await deviceLogin(url, null, { identifier }))).toBe('TENANT_REQUIRED');
    expect(outcomeOf(await deviceLogin(url, 'NO_SUCH_TENANT', { identifier }))).toBe('TENANT_NOT_ACTIVE');
    const refused = {
      IDENTIFIER_NOT_ALLOWED: { identifier: 'with space' },
      SHORT_CODE_NOT_ALLOWED: { identifier, shortCode: 'x'.repeat(33) },
      SECRET_NOT_ALLOWED: { identifier, secret: 'short' },
      INPUT_NOT_ALLOWED: { identifier, captchaToken: 'x'.repeat(5000) },
    };
    for (const [code, input] of Object.entries(refused))
      expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe(code);
    expect(await made(tenantId)).toEqual(MADE_NOTHING);
  });
});

describe('S1.2: a known identifier', () => {
  it('is the same user and device again, if it proves itself by its secret', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const identifier = newIdentifier();
    const first = await deviceLogin(url, tenantId, { identifier });
    const secret = first.deviceSecret ?? '';
    const again = await deviceLogin(url, tenantId, { identifier, secret });
    const { userId, deviceId } = first;
    expect(again).toMatchObject({ userId, deviceId, isNewUser: false, deviceSecret: null, errors: [] });
    expect(again.sessionId).not.toBe(first.sessionId);
    const before = await made(tenantId);
    expect(outcomeOf(await deviceLogin(url, tenantId, { identifier }))).toBe('DEVICE_SECRET_REQUIRED');
    const wrong = await deviceLogin(url, tenantId, { identifier, secret: newSecret() });
    expect(outcomeOf(wrong)).toBe('DEVICE_SECRET_WRONG');
    expect(await made(tenantId)).toEqual(before);
    const [row] = await emOf(world, tenantId).find(Device, {});
    expect(JSON.stringify(row)).not.toContain(secret);
  });

  it('makes one user, one device and one trial of 50 first sign-ins at once with the secret that the client chose', async () => {
    const { tenantId } = await seedDeviceTenant(world, withTrial);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const answers = await parallel(50, async () => deviceLogin(url, tenantId, input));
    expect(tally(answers)).toEqual({ OK: 50 });
    expect(new Set(answers.map(({ userId, deviceId }) => `${userId} ${deviceId}`)).size).toBe(1);
    expect(answers.filter(({ isNewUser }) => isNewUser)).toHaveLength(1);
    const one = { users: 1, methods: 1, devices: 1, trials: 1, subscriptions: 1 };
    expect(await made(tenantId)).toEqual({ ...one, sessions: 50 });
  });

  it('gives the secret to one of 10 first sign-ins at once that chose none, and makes one user', async () => {
    const { tenantId } = await seedDeviceTenant(world, withTrial);
    const input = { identifier: newIdentifier() };
    const answers = await parallel(10, async () => deviceLogin(url, tenantId, input));
    expect(tally(answers)).toEqual({ OK: 1, DEVICE_SECRET_REQUIRED: 9 });
    const [secret = ''] = answers.flatMap(({ deviceSecret }) => deviceSecret ?? []);
    expect(outcomeOf(await deviceLogin(url, tenantId, { ...input, secret }))).toBe('OK');
    const one = { users: 1, methods: 1, devices: 1, trials: 1, subscriptions: 1 };
    expect(await made(tenantId)).toEqual({ ...one, sessions: 2 });
  });

  it('continues by its refresh token, each of which works once', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const { refreshToken, userId, deviceId } = await deviceLogin(url, tenantId, {
      identifier: newIdentifier(),
    });
    const next = await refreshDevice(url, refreshToken);
    expect(next).toMatchObject({ userId, deviceId, errors: [] });
    expect(await accessOf(url, next.accessToken)).toBe('OK');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('REFRESH_TOKEN_REUSED');
    expect(outcomeOf(await refreshDevice(url, next.refreshToken))).toBe('SESSION_ENDED');
    expect(outcomeOf(await refreshDevice(url, 'nonsense'))).toBe('REFRESH_TOKEN_UNKNOWN');
  });

  it('has its next refresh token although the device cannot be noted as seen', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const { refreshToken, deviceId } = await deviceLogin(url, tenantId, { identifier: newIdentifier() });
    const sql = 'select id from device where tenant_id = ? and id = ? for update';
    const letGo = await holdRows(world, tenantId, sql, deviceId);
    const next = await refreshDevice(url, refreshToken);
    await letGo();
    expect(outcomeOf(next)).toBe('OK');
    expect(outcomeOf(await refreshDevice(url, next.refreshToken))).toBe('OK');
  });

  it('signs out: its token and its refresh token end, and it stays bound', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const { accessToken: token, refreshToken, userId } = await deviceLogin(url, tenantId, input);
    const query = 'mutation { signOutDevice { sessionId errors { code } } }';
    const { data } = await graphqlRequest<{ signOutDevice: { errors: object[] } }>(url, { query, token });
    expect(data?.signOutDevice.errors).toEqual([]);
    expect(await accessOf(url, token)).toBe('SESSION_ENDED');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('SESSION_ENDED');
    expect((await deviceLogin(url, tenantId, input)).userId).toBe(userId);
  });

  it('signs out all devices of its user, and none of another one', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const first = await deviceLogin(url, tenantId, { identifier: newIdentifier() });
    const linkCode = await linkCodeOf(url, first.accessToken);
    const second = await deviceLogin(url, tenantId, { identifier: newIdentifier(), linkCode });
    const stranger = await deviceLogin(url, tenantId, { identifier: newIdentifier() });
    const query = `mutation ($input: SignOutDeviceInput) {
      signOutDevice(input: $input) { sessionId errors { code } } }`;
    const variables = { input: { everywhere: true } };
    const { data } = await graphqlRequest(url, { query, variables, token: second.accessToken });
    expect(data?.['signOutDevice']).toMatchObject({ errors: [] });
    for (const { accessToken, refreshToken } of [first, second]) {
      expect(await accessOf(url, accessToken)).toBe('SESSION_ENDED');
      expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('SESSION_ENDED');
    }
    expect(await accessOf(url, stranger.accessToken)).toBe('OK');
    // A token of the tenant's own system has no session.
    const bare = world.services.tokens.sign({ kind: 'USER', tenantId, userId: first.userId }, 900);
    const refused = await graphqlRequest(url, { query, variables, token: bare });
    expect(refused.data?.['signOutDevice']).toMatchObject({ errors: [{ code: 'DEVICE_SESSION_REQUIRED' }] });
  });

  it('gets a new secret by a link code of its user, and its former sessions end', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const identifier = newIdentifier();
    const first = await deviceLogin(url, tenantId, { identifier });
    const other = await deviceLogin(url, tenantId, { identifier: newIdentifier() });
    const foreign = await linkCodeOf(url, other.accessToken);
    expect(outcomeOf(await deviceLogin(url, tenantId, { identifier, linkCode: foreign }))).toBe(
      'DEVICE_BOUND_ELSEWHERE',
    );
    const linkCode = await linkCodeOf(url, staff(tenantId), { userId: first.userId });
    const found = await deviceLogin(url, tenantId, { identifier, linkCode: linkCode.toLowerCase() });
    expect(found).toMatchObject({ userId: first.userId, deviceId: first.deviceId, errors: [] });
    expect(await accessOf(url, first.accessToken)).toBe('SESSION_ENDED');
    const former = { identifier, secret: first.deviceSecret ?? '' };
    expect(outcomeOf(await deviceLogin(url, tenantId, former))).toBe('DEVICE_SECRET_WRONG');
    const current = { identifier, secret: found.deviceSecret ?? '' };
    expect(outcomeOf(await deviceLogin(url, tenantId, current))).toBe('OK');
    expect(outcomeOf(await deviceLogin(url, tenantId, { identifier, linkCode }))).toBe('LINK_CODE_NOT_FOUND');
  });
});

describe('S1.3: a short code', () => {
  it('is optional, stored, updated by later sign-ins, and found by staff', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const found = async (filter: object): Promise<unknown[]> => {
      const query =
        'query ($filter: DeviceFilterInput) { devices(filter: $filter) { total items { shortCode } } }';
      const call = { query, variables: { filter }, token: staff(tenantId) };
      const { data } = await graphqlRequest<{ devices: { total: number; items: unknown[] } }>(url, call);
      expect(data?.devices.total).toBe(data?.devices.items.length);
      return data?.devices.items ?? [];
    };
    const { userId } = await deviceLogin(url, tenantId, input);
    await deviceLogin(url, tenantId, { identifier: newIdentifier(), shortCode: 'AB-12' });
    expect(await found({ userId })).toEqual([{ shortCode: null }]);
    await deviceLogin(url, tenantId, { ...input, shortCode: 'XY-34' });
    expect(await found({ shortCode: 'XY-34' })).toEqual([{ shortCode: 'XY-34' }]);
    await deviceLogin(url, tenantId, { ...input, shortCode: 'XY-56' });
    await deviceLogin(url, tenantId, input);
    expect(await found({ shortCode: 'XY-34' })).toEqual([]);
    expect(await found({ identifier: input.identifier })).toEqual([{ shortCode: 'XY-56' }]);
    expect(await found({})).toHaveLength(2);
  });
});

describe('S1.6: a trial', () => {
  it('is given once, with the configured length, and without an order', async () => {
    const { tenantId, planId } = await seedDeviceTenant(world, withTrial);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const { userId, accessToken: token } = await deviceLogin(url, tenantId, input);
    await deviceLogin(url, tenantId, input);
    const held = await emOf(world, tenantId).find(Subscription, {});
    expect(held).toHaveLength(1);
    expect(held[0]).toMatchObject({ userId, planId, status: 'ACTIVE' });
    const lengthMs = (held[0]?.expiresAt?.getTime() ?? 0) - (held[0]?.startedAt.getTime() ?? 0);
    expect(lengthMs).toBe(3 * 86_400_000);
    expect(await emOf(world, tenantId).count(Order, {})).toBe(0);
    const { data } = await graphqlRequest(url, { query: '{ mySubscriptions { id planId } }', token });
    expect(data).toEqual({ mySubscriptions: [{ id: held[0]?.id, planId }] });
  });

  it('is not given to further devices of a user, nor again to an identifier that was unbound', async () => {
    const { tenantId } = await seedDeviceTenant(world, withTrial);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const first = await deviceLogin(url, tenantId, input);
    const linkCode = await linkCodeOf(url, first.accessToken);
    const second = await deviceLogin(url, tenantId, { identifier: newIdentifier(), linkCode });
    expect(second).toMatchObject({ userId: first.userId, isNewUser: false, errors: [] });
    await world.services.deviceChanges.unbind(tenantId, first.userId, first.deviceId);
    const again = await deviceLogin(url, tenantId, input);
    expect(again).toMatchObject({ isNewUser: true, errors: [] });
    expect(again.userId).not.toBe(first.userId);
    expect(await made(tenantId)).toMatchObject({ users: 2, devices: 3, trials: 1, subscriptions: 1 });
  });

  it('that cannot be given, because the plan is sold out, does not keep anyone from signing up', async () => {
    const { tenantId } = await seedDeviceTenant(world, withTrial, { inventory: 0 });
    expect(outcomeOf(await deviceLogin(url, tenantId, { identifier: newIdentifier() }))).toBe('OK');
    expect(await made(tenantId)).toMatchObject({ users: 1, trials: 0, subscriptions: 0 });
  });
});

describe('S1.11: the list of devices', () => {
  it("shows the caller's own bound devices only", async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const mine = await deviceLogin(url, tenantId, { identifier: newIdentifier(), userAgent: '' });
    const linkCode = await linkCodeOf(url, mine.accessToken);
    const second = await deviceLogin(url, tenantId, { identifier: newIdentifier(), linkCode });
    await deviceLogin(url, tenantId, { identifier: newIdentifier() });
    const query = '{ myDevices { id userId agent { browser system platform } } }';
    const list = async (token: string) => (await graphqlRequest(url, { query, token })).data;
    const agent = { browser: null, system: null, platform: null };
    const both = [second, mine].map(({ deviceId: id, userId }) => ({ id, userId, agent }));
    expect(await list(mine.accessToken)).toEqual({ myDevices: both });
    expect(await list(second.accessToken)).toEqual({ myDevices: both });
    await world.services.deviceChanges.unbind(tenantId, mine.userId, second.deviceId);
    expect(await list(mine.accessToken)).toEqual({ myDevices: [both[1]] });
    const { errors } = await graphqlRequest(url, { query: '{ devices { total } }', token: mine.accessToken });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
