import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpCaptchaVerifier } from '../../src/identity/devices/captcha/http-captcha-verifier.js';
import { createLog } from '../../src/platform/observability/log.js';
import { OutgoingHttp } from '../../src/platform/outgoing/outgoing-http.js';
import {
  accessOf,
  deviceLogin,
  newIdentifier,
  newSecret,
  outcomeOf,
  refreshDevice,
  seedDeviceTenant,
  setDeviceEnabled,
  startCaptchaProvider,
  type CaptchaProvider,
} from '../support/devices.js';
import {
  MADE_NOTHING,
  openDeviceWorld,
  parallel,
  rowsMade,
  tally,
  type DeviceWorld,
} from '../support/device-world.js';
import type { World } from '../support/world.js';

const CAPTCHA_SECRET = 'captcha-secret';

let opened: DeviceWorld;
let world: World;
let url: string;
let captcha: CaptchaProvider;
beforeAll(async () => {
  opened = await openDeviceWorld();
  ({ world, url } = opened);
  captcha = await startCaptchaProvider(CAPTCHA_SECRET);
});
afterAll(async () => {
  await opened?.close();
  await captcha?.close();
});

const staff = (tenantId: string): string =>
  world.services.tokens.sign({ kind: 'STAFF', tenantId, staffId: 'staff-1', role: 'OWNER' }, 900);
const made = async (tenantId: string) => rowsMade(world, tenantId);

describe('S1.4: a sign-in', () => {
  it('is refused where the tenant has switched devices off, also a refresh', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const { refreshToken } = await deviceLogin(url, tenantId, input);
    const off = await seedDeviceTenant(world, { auth: { deviceSignInEnabled: false } });
    expect(outcomeOf(await deviceLogin(url, off.tenantId, input))).toBe('DEVICE_LOGIN_DISABLED');
    expect(await made(off.tenantId)).toEqual(MADE_NOTHING);
    await world.services.settingChanges.update(tenantId, { auth: { deviceSignInEnabled: false } });
    const outcome = async () => outcomeOf(await deviceLogin(url, tenantId, input));
    await expect.poll(outcome).toBe('DEVICE_LOGIN_DISABLED');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('DEVICE_LOGIN_DISABLED');
    await world.services.settingChanges.update(tenantId, { auth: { deviceSignInEnabled: true } });
    await expect.poll(outcome).toBe('OK');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('OK');
  });

  it('is refused to a disabled device, whose sessions end, until it is enabled', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const { accessToken: token, refreshToken, deviceId } = await deviceLogin(url, tenantId, input);
    const disabled = await setDeviceEnabled(url, staff(tenantId), deviceId, false);
    expect(disabled.device).toMatchObject({ status: 'DISABLED' });
    expect(await accessOf(url, token)).toBe('SESSION_ENDED');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('SESSION_ENDED');
    const before = await made(tenantId);
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('DEVICE_DISABLED');
    // Who cannot prove to be the device is not told.
    const stranger = { ...input, secret: newSecret() };
    expect(outcomeOf(await deviceLogin(url, tenantId, stranger))).toBe('DEVICE_SECRET_WRONG');
    expect(await made(tenantId)).toEqual(before);
    await setDeviceEnabled(url, staff(tenantId), deviceId, true);
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('OK');
  });

  it('is refused to a disabled user, and a refresh keeps its token for later', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const { userId, refreshToken } = await deviceLogin(url, tenantId, input);
    await world.services.userChanges.update(tenantId, { userId, status: 'DISABLED' });
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('USER_DISABLED');
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('USER_DISABLED');
    await world.services.userChanges.update(tenantId, { userId, status: 'ACTIVE' });
    expect(outcomeOf(await refreshDevice(url, refreshToken))).toBe('OK');
  });

  it('is limited for each address: of 20 new devices at once 5 are admitted, each counted once, and a refused one never', async () => {
    const limit = { signUpsPerAddress: 5, signUpWindowMinutes: 60 };
    const { tenantId } = await seedDeviceTenant(world, { register: limit });
    const ip = '203.0.113.7';
    const inputs = Array.from({ length: 20 }, () => ({ identifier: newIdentifier(), secret: newSecret() }));
    // Each device taps twice: the second tap is the same sign-up.
    const answers = await parallel(40, async (index) => {
      const input = inputs[Math.floor(index / 2)];
      return deviceLogin(url, tenantId, input ?? { identifier: '' }, ip);
    });
    expect(tally(answers)).toEqual({ OK: 10, SIGN_UP_LIMIT_REACHED: 30 });
    const waits = answers.flatMap(({ errors }) => errors.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    expect(Math.min(...waits)).toBeGreaterThan(3_000_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_600_000);
    expect(await made(tenantId)).toMatchObject({ users: 5, methods: 5, devices: 5 });
    const key = `{${tenantId}}:sign_ups:${ip}`;
    expect(await world.stores.redis.zcard(key)).toBe(5);
    // Known devices are not counted, nor limited; other addresses have their own window.
    const known = inputs.find((_input, index) => answers[2 * index]?.errors.length === 0);
    expect(outcomeOf(await deviceLogin(url, tenantId, known ?? { identifier: '' }, ip))).toBe('OK');
    const elsewhere = await deviceLogin(url, tenantId, { identifier: newIdentifier() }, '203.0.113.8');
    expect(outcomeOf(elsewhere)).toBe('OK');
  });
});

describe('S1.5: a captcha', () => {
  const withCaptcha = () => ({
    auth: { captchaEnabled: true, captchaProviderUrl: captcha.url, captchaSecret: CAPTCHA_SECRET },
  });

  it('is not asked for where it is switched off', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const asked = captcha.asked.length;
    const input = { identifier: newIdentifier(), captchaToken: 'wrong' };
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('OK');
    expect(captcha.asked).toHaveLength(asked);
  });

  it('is verified by the provider where it is switched on, with the secret and the address of the client', async () => {
    const { tenantId } = await seedDeviceTenant(world, withCaptcha());
    const input = { identifier: newIdentifier() };
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('CAPTCHA_REQUIRED');
    const wrong = await deviceLogin(url, tenantId, { ...input, captchaToken: 'guessed' });
    expect(outcomeOf(wrong)).toBe('CAPTCHA_REFUSED');
    expect(await made(tenantId)).toEqual(MADE_NOTHING);
    const solved = await deviceLogin(url, tenantId, { ...input, captchaToken: 'solved' }, '203.0.113.9');
    expect(outcomeOf(solved)).toBe('OK');
    const form = { secret: CAPTCHA_SECRET, response: 'solved', remoteip: '203.0.113.9' };
    expect(Object.fromEntries(captcha.asked.at(-1) ?? [])).toEqual(form);
  });

  it.each([
    ['an error of the provider', 503, '{}'],
    ['an answer that is no verdict', 200, '<html>'],
    [
      'a provider that refuses the secret of the tenant',
      200,
      '{"success":false,"error-codes":["invalid-input-secret"]}',
    ],
  ])('that has no verdict, by %s, refuses the sign-in for now', async (_name, status, body) => {
    const { tenantId } = await seedDeviceTenant(world, withCaptcha());
    captcha.fails(status, body);
    const input = { identifier: newIdentifier(), captchaToken: 'solved' };
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('SERVICE_UNAVAILABLE');
    expect(await made(tenantId)).toEqual(MADE_NOTHING);
    expect(outcomeOf(await deviceLogin(url, tenantId, input))).toBe('OK');
  });

  it('leaves the places of changes to other tenants while its provider hangs', async () => {
    const { tenantId } = await seedDeviceTenant(world, withCaptcha());
    const answer = captcha.hangs();
    // More than the 8 places, fewer than the 16 connections to a host; each from an address of its own.
    const logins = parallel(12, async (at) => {
      const input = { identifier: newIdentifier(), captchaToken: 'solved' };
      return deviceLogin(url, tenantId, input, `203.0.113.${at}`);
    });
    await expect.poll(captcha.waiting, { timeout: 10_000 }).toBe(12);
    answer();
    expect(tally(await logins)).toEqual({ OK: 12 });
  });

  it('is refused for now where 64 answers of a tenant wait for the provider', async () => {
    const outgoing = new OutgoingHttp({ allowedNetworks: ['127.0.0.0/8'] });
    const verifier = new HttpCaptchaVerifier(outgoing, createLog({ level: 'silent' }));
    const verdict = async (secret: string) =>
      verifier.isSolved({ url: captcha.url, secret }, { token: 'solved', ip: '203.0.113.1' }).catch(String);
    const answer = captcha.hangs();
    const verdicts = Array.from({ length: 64 }, async () => verdict(CAPTCHA_SECRET));
    expect(await verdict(CAPTCHA_SECRET)).toContain('Too many answers wait');
    const others = verdict('of another tenant');
    answer();
    expect(new Set(await Promise.all(verdicts))).toEqual(new Set([true]));
    expect(await others).toBe(false);
    expect(await verdict(CAPTCHA_SECRET)).toBe(true);
    await outgoing.close();
  });
});
