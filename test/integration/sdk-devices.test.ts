import { describe, expect, it } from 'vitest';
import { deviceSession, type DeviceOptions, type DeviceSession } from '../../sdk/src/devices.js';
import { createClient, RefusedError, UnauthenticatedError } from '../../sdk/src/index.js';
import { staffToken } from '../support/cluster.js';
import { rowsMade } from '../support/device-world.js';
import { seedDeviceTenant, setDeviceEnabled, startCaptchaProvider } from '../support/devices.js';
import { FAST, sdkScene } from '../support/sdk-scene.js';
import { MapStore } from '../support/sdk-store.js';
import { seedCampaign } from '../support/world.js';

const scene = sdkScene();
const deviceOf = (tenantId: string, more: Partial<DeviceOptions> = {}): DeviceSession =>
  deviceSession({ url: scene.proxy.url, env: 'app', tenantId, store: new MapStore(), retry: FAST, ...more });

const sentOf = (name: string): number =>
  scene.proxy.requests.filter(({ body }) => body.includes(`"operationName":"${name}"`)).length;
const tokenOf = async (device: DeviceSession): Promise<string> =>
  (await device.token({ refused: null, code: null })) ?? '';
/** What a client does when the server has refused the token. */
const renewed = async (device: DeviceSession, refused: string): Promise<string | null> =>
  device.token({ refused, code: 'UNAUTHENTICATED' });

describe('a device of the SDK', () => {
  it('signs up once, however often the answer is lost, and is the same user after a restart', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const store = new MapStore();
    scene.proxy.acts = ['LOSE', 'LOSE', 'CUT'];
    const first = await deviceOf(tenantId, { store }).signIn();
    const again = await deviceOf(tenantId, { store }).signIn();
    expect(again).toEqual({ ...first, isNewUser: false });
    expect(await rowsMade(scene.world, tenantId)).toMatchObject({ users: 1, devices: 1, methods: 1 });
  });

  it('signs a client in, which redeems', async () => {
    const tenant = await seedDeviceTenant(scene.world);
    const { codes } = await seedCampaign(scene.world, tenant, 1);
    const device = deviceOf(tenant.tenantId);
    const client = createClient({
      url: scene.proxy.url,
      productCode: 'DEMO',
      env: 'app',
      token: device.token,
    });
    await expect(client.redeemCode(codes[0] ?? '')).rejects.toThrow(UnauthenticatedError);
    const { userId } = await device.signIn();
    expect(await client.redeemCode(codes[0] ?? '')).toMatchObject({
      status: 'COMMITTED',
      redemption: { userId },
    });
  });

  it('refreshes once for all callers and all tabs', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const store = new MapStore();
    const [one, other] = [deviceOf(tenantId, { store }), deviceOf(tenantId, { store })];
    await one.signIn();
    const token = await tokenOf(one);
    const tokens = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => renewed(at % 2 === 0 ? one : other, token)),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(sentOf('RefreshDeviceSession')).toBe(1);
    // The session is alive: its refresh token was not used twice.
    expect(await renewed(other, tokens[0] ?? '')).toBeTruthy();
    expect(sentOf('DeviceLogin')).toBe(1);
  });

  it('stays signed in when the answer to a refresh is lost', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const device = deviceOf(tenantId);
    await device.signIn();
    scene.proxy.acts = ['LOSE'];
    const token = await renewed(device, await tokenOf(device));
    const client = createClient({ url: scene.proxy.url, env: 'app', token: device.token });
    expect(await client.myPoints()).toMatchObject({ balance: 0 });
    expect(await tokenOf(device)).toBe(token);
    // A refresh token that is sent a second time ends the session.
    expect([sentOf('RefreshDeviceSession'), sentOf('DeviceLogin')]).toEqual([1, 2]);
    expect(await rowsMade(scene.world, tenantId)).toMatchObject({ users: 1, devices: 1 });
  });

  it('is signed out by staff, and does not sign in again by itself', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const device = deviceOf(tenantId);
    const { deviceId } = await device.signIn();
    const client = createClient({ url: scene.proxy.url, env: 'app', token: device.token, retry: FAST });
    await client.myPoints();
    const staff = staffToken(scene.world, tenantId);
    await setDeviceEnabled(scene.url, staff, deviceId, false);
    await expect(client.myPoints()).rejects.toMatchObject({ code: 'SESSION_ENDED' });
    await setDeviceEnabled(scene.url, staff, deviceId, true);
    await expect(client.myPoints()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(sentOf('DeviceLogin')).toBe(1);
    await device.signIn();
    expect(await client.myPoints()).toMatchObject({ balance: 0 });
  });

  it('signs out, also where the answer is lost', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const device = deviceOf(tenantId);
    await device.signIn();
    const token = await tokenOf(device);
    scene.proxy.acts = ['LOSE'];
    await device.signOut();
    expect(await device.token({ refused: null, code: null })).toBeNull();
    const late = createClient({ url: scene.proxy.url, env: 'app', token });
    await expect(late.myPoints()).rejects.toMatchObject({ code: 'SESSION_ENDED' });
  });

  it('lets a further device join its user, and signs all of them out', async () => {
    const { tenantId } = await seedDeviceTenant(scene.world);
    const [one, other] = [deviceOf(tenantId), deviceOf(tenantId)];
    const { userId } = await one.signIn();
    const { linkCode } = await one.createLinkCode();
    expect(await other.signIn({ linkCode })).toMatchObject({ userId, isNewUser: false });
    await expect(deviceOf(tenantId).signIn({ linkCode })).rejects.toThrow(RefusedError);
    const client = createClient({ url: scene.proxy.url, env: 'app', token: one.token });
    await client.myPoints();
    await other.signOut({ everywhere: true });
    await expect(client.myPoints()).rejects.toThrow(UnauthenticatedError);
  });

  it('shows a captcha where the tenant asks for one, and again where it was failed', async () => {
    const provider = await startCaptchaProvider('of the test');
    const { tenantId } = await seedDeviceTenant(scene.world, {
      auth: { captchaEnabled: true, captchaProviderUrl: provider.url, captchaSecret: 'of the test' },
    });
    const answers = ['failed', 'solved'];
    const device = deviceOf(tenantId, { captcha: async () => answers.shift() ?? '' });
    expect(await device.signIn()).toMatchObject({ isNewUser: true });
    expect(answers).toEqual([]);
    await expect(deviceOf(tenantId).signIn()).rejects.toMatchObject({ code: 'CAPTCHA_REQUIRED' });
    await provider.close();
  });
});
