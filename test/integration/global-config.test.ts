import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_SECTIONS } from '../../src/tenancy/settings/setting-sections.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

let world: World;
/** Another process on the same stores. */
let other: World;
let api: ProductApi;
beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
  api = new ProductApi(world);
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

const CONFIG = `{ globalConfig {
  version
  site { name description url logoUrl }
  auth { deviceSignInEnabled captchaEnabled captchaProviderUrl captchaSiteKey hasCaptchaSecret }
  register { signUpsPerAddress signUpWindowMinutes trialPlanId trialUnit trialQuantity }
  device { devicesPerUser onlinePerUser encryptionEnabled encryptionKeyId encryptionV1KeyId encryptionKeyIds }
  customData
  announcements { title description }
} }`;
const UPDATE = `mutation ($input: UpdateGlobalConfigInput!) { updateGlobalConfig(input: $input) {
  globalConfig { version customData auth { deviceSignInEnabled captchaEnabled } device { encryptionEnabled } }
  errors { code field } } }`;
const ANNOUNCE = `mutation ($input: CreateAnnouncementInput!) { createAnnouncement(input: $input) {
  announcement { id title description startsAt endsAt } errors { code field } } }`;
const CHANGE = `mutation ($input: UpdateAnnouncementInput!) { updateAnnouncement(input: $input) {
  announcement { id title description startsAt endsAt version } errors { code field } } }`;
const DELETE = `mutation ($input: DeleteAnnouncementInput!) { deleteAnnouncement(input: $input) {
  announcementId errors { code } } }`;
const LIST = `query ($page: Int, $size: Int) { announcements(page: $page, size: $size) {
  total items { title description } } }`;

const newTenant = async (): Promise<string> => (await seedTenant(world)).tenantId;

async function update(tenantId: string, input: Record<string, unknown>) {
  const { data, errors } = await api.ask(staffOf(tenantId), UPDATE, { input });
  expect(errors).toEqual([]);
  return data['updateGlobalConfig'] ?? {};
}

async function configOf(tenantId: string): Promise<Record<string, unknown>> {
  const { data, errors } = await api.ask(null, CONFIG, {}, { tenantId });
  expect(errors).toEqual([]);
  return data['globalConfig'] ?? {};
}

const SECRET = 'a-secret-that-no-answer-shows';

describe('the global config', () => {
  it('is the defaults for a tenant that has set nothing, also before sign-in', async () => {
    const { site, register } = DEFAULT_SECTIONS;
    expect(await configOf(await newTenant())).toMatchObject({ version: 0, site, register, customData: {} });
  });

  it('S1.15: keeps each false as false, on every process, whatever is set after it', async () => {
    const tenantId = await newTenant();
    const on = {
      auth: {
        deviceSignInEnabled: true,
        captchaEnabled: true,
        captchaProviderUrl: 'https://c.example/v',
        captchaSecret: SECRET,
      },
      device: { encryptionEnabled: true, encryptionKeys: [{ id: 'k1', secret: SECRET }] },
    };
    expect(refusalIn(await update(tenantId, on))).toBeUndefined();
    const off = {
      auth: { deviceSignInEnabled: false, captchaEnabled: false },
      device: { encryptionEnabled: false },
    };
    await update(tenantId, off);
    await update(tenantId, { site: { name: 'Shop' } });
    await update(tenantId, { auth: { captchaSiteKey: 'site', deviceSignInEnabled: null } });
    const auth = { deviceSignInEnabled: false, captchaEnabled: false, captchaSiteKey: 'site' };
    expect(await configOf(tenantId)).toMatchObject({
      version: 4,
      auth,
      device: { encryptionEnabled: false },
    });
    expect(await other.services.settings.find(tenantId)).toMatchObject({ auth, device: off.device });
  });

  it('S1.15: never shows a secret, and stores none in plain text', async () => {
    const tenantId = await newTenant();
    const changed = await update(tenantId, {
      auth: { captchaEnabled: true, captchaProviderUrl: 'https://c.example/v', captchaSecret: SECRET },
      device: { encryptionEnabled: true, encryptionKeys: [{ id: 'k1', secret: SECRET }] },
    });
    const shown = await configOf(tenantId);
    expect(shown).toMatchObject({
      auth: { hasCaptchaSecret: true },
      device: { encryptionKeyId: 'k1', encryptionKeyIds: ['k1'] },
    });
    const [row] = await emOf(world, tenantId).execute<object[]>(
      `select hex(sealed_secrets) as sealed, tenant_settings.* from tenant_settings where tenant_id = ?`,
      [tenantId],
    );
    const stored = `${JSON.stringify(row)} ${Buffer.from((row as { sealed: string }).sealed, 'hex').toString('latin1')}`;
    for (const text of [JSON.stringify(changed), JSON.stringify(shown), stored])
      expect(text).not.toContain(SECRET);
    const settings = await world.services.settings.find(tenantId);
    expect(settings?.secrets).toEqual({ captchaSecret: SECRET, encryptionKeys: { k1: SECRET } });
  });

  it('takes effect on another process within a second', async () => {
    const tenantId = await newTenant();
    expect((await other.services.settings.find(tenantId))?.device.onlinePerUser).toBe(0);
    await update(tenantId, { device: { onlinePerUser: 3 } });
    await expect
      .poll(async () => (await other.services.settings.find(tenantId))?.device.onlinePerUser, {
        timeout: 30_000,
      })
      .toBe(3);
  });

  it('is TENANT_NOT_ACTIVE alike for an unknown and for a disabled tenant, and asks for the header without one', async () => {
    const tenantId = await newTenant();
    await world.services.tenantChanges.update(tenantId, { status: 'DISABLED' });
    for (const named of [tenantId, 'T_NOBODY'])
      for (const source of [CONFIG, LIST])
        expect((await api.ask(null, source, {}, { tenantId: named })).errors).toEqual(['TENANT_NOT_ACTIVE']);
    expect((await api.ask(null, CONFIG)).errors).toEqual(['BAD_USER_INPUT']);
  });

  it('is that of the token, whatever tenant the header names', async () => {
    const [own, foreign] = [await newTenant(), await newTenant()];
    await update(own, { site: { name: 'Own' } });
    const { data } = await api.ask(staffOf(own, 'AUDITOR'), CONFIG, {}, { tenantId: foreign });
    expect(data['globalConfig']).toMatchObject({ site: { name: 'Own' } });
  });
});

describe('updateGlobalConfig', () => {
  const keys = (...secrets: string[]) => secrets.map((secret, at) => ({ id: `k${at + 1}`, secret }));
  const captcha = { captchaEnabled: true, captchaProviderUrl: 'https://c.example/v' };
  const bad: [string, Record<string, unknown>, string][] = [
    ['encryption without a key', { device: { encryptionEnabled: true } }, 'SECRET_IS_EMPTY'],
    [
      'encryption with an empty secret',
      { device: { encryptionEnabled: true, encryptionKeys: keys('') } },
      'SECRET_IS_EMPTY',
    ],
    [
      'encryption with a blank secret',
      { device: { encryptionEnabled: true, encryptionKeys: keys(' \t') } },
      'SECRET_IS_EMPTY',
    ],
    [
      'a key in use without a secret',
      { device: { encryptionEnabled: true, encryptionKeys: keys('s'), encryptionKeyId: 'k9' } },
      'SECRET_IS_EMPTY',
    ],
    [
      'a key of v1 without a secret',
      { device: { encryptionEnabled: true, encryptionKeys: keys('s'), encryptionV1KeyId: 'toString' } },
      'SECRET_IS_EMPTY',
    ],
    ['eleven keys', { device: { encryptionKeys: keys(...'abcdefghijk') } }, 'INPUT_NOT_ALLOWED'],
    ['a key without a name', { device: { encryptionKeys: [{ id: '', secret: 's' }] } }, 'INPUT_NOT_ALLOWED'],
    ['a captcha without a secret', { auth: captcha }, 'CAPTCHA_NOT_CONFIGURED'],
    ['a captcha with a blank secret', { auth: { ...captcha, captchaSecret: ' ' } }, 'CAPTCHA_NOT_CONFIGURED'],
    [
      'a captcha without a provider',
      { auth: { captchaEnabled: true, captchaSecret: 's' } },
      'CAPTCHA_NOT_CONFIGURED',
    ],
    ['an address that is none', { site: { url: 'javascript:alert(1)' } }, 'INPUT_NOT_ALLOWED'],
    ['a name with a control character', { site: { name: 'a\u0007b' } }, 'INPUT_NOT_ALLOWED'],
    ['a negative limit', { device: { devicesPerUser: -1 } }, 'INPUT_NOT_ALLOWED'],
    ['a window of no minutes', { register: { signUpWindowMinutes: 0 } }, 'INPUT_NOT_ALLOWED'],
    ['a trial plan that is no id', { register: { trialPlanId: 'x' } }, 'INPUT_NOT_ALLOWED'],
    [
      'a trial of two endless times',
      { register: { trialUnit: 'NO_LIMIT', trialQuantity: 101 } },
      'INPUT_NOT_ALLOWED',
    ],
    ['custom data that is too long', { customData: { text: 'x'.repeat(17_000) } }, 'INPUT_NOT_ALLOWED'],
    ['custom data with an odd key', { customData: { 'a b': 1 } }, 'INPUT_NOT_ALLOWED'],
    ['a version that was never there', { expectedVersion: 7 }, 'VERSION_CONFLICT'],
  ];

  it.each(bad)('refuses %s, and writes nothing', async (_name, input, code) => {
    const tenantId = await newTenant();
    expect(refusalIn(await update(tenantId, input))).toBe(code);
    expect(
      await emOf(world, tenantId).execute('select 1 from tenant_settings where tenant_id = ?', [tenantId]),
    ).toEqual([]);
  });

  it('refuses to remove the key in use while encryption is enabled, and removes any other', async () => {
    const tenantId = await newTenant();
    await update(tenantId, { device: { encryptionEnabled: true, encryptionKeys: keys('one', 'two') } });
    const remove = (id: string) => update(tenantId, { device: { encryptionKeys: [{ id, secret: null }] } });
    expect(refusalIn(await remove('k1'))).toBe('SECRET_IS_EMPTY');
    expect(refusalIn(await remove('k2'))).toBeUndefined();
    expect((await world.services.settings.find(tenantId))?.secrets.encryptionKeys).toEqual({ k1: 'one' });
  });

  it('never sends the captcha secret to another provider than it was set for', async () => {
    const tenantId = await newTenant();
    await update(tenantId, { auth: { ...captcha, captchaSecret: SECRET } });
    const elsewhere = { captchaProviderUrl: 'https://thief.example/v' };
    expect(refusalIn(await update(tenantId, { auth: elsewhere }))).toBe('CAPTCHA_NOT_CONFIGURED');
    const secret = async () => (await world.services.settings.find(tenantId))?.secrets.captchaSecret;
    expect(await secret()).toBe(SECRET);
    await update(tenantId, { auth: { captchaProviderUrl: captcha.captchaProviderUrl } });
    expect(await secret()).toBe(SECRET);
    await update(tenantId, { auth: { captchaEnabled: false, ...elsewhere } });
    expect(await secret()).toBeNull();
    await update(tenantId, { auth: { ...captcha, ...elsewhere, captchaSecret: 'its own' } });
    expect(await secret()).toBe('its own');
  });

  it('is for OWNER and OPERATOR of the tenant', async () => {
    const tenantId = await newTenant();
    const input = { site: { name: 'X' } };
    for (const actor of [staffOf(tenantId, 'AUDITOR'), { kind: 'USER', tenantId, userId: '1' } as const])
      expect((await api.ask(actor, UPDATE, { input })).errors).toEqual(['FORBIDDEN']);
    expect((await api.ask(null, UPDATE, { input }, { tenantId })).errors).toEqual(['UNAUTHENTICATED']);
    expect(await configOf(tenantId)).toMatchObject({ version: 0 });
  });

  it('S1.16: makes custom data that is missing, changes what is there, and removes a key by null', async () => {
    const tenantId = await newTenant();
    expect(
      (await update(tenantId, { customData: { banner: { text: 'Hi', seen: false }, theme: 'dark' } }))[
        'globalConfig'
      ],
    ).toMatchObject({
      version: 1,
      customData: { banner: { text: 'Hi', seen: false }, theme: 'dark' },
    });
    await update(tenantId, { customData: { theme: 'light', constructor: [1, null] } });
    await update(tenantId, { customData: { banner: null } });
    expect(await configOf(tenantId)).toMatchObject({
      version: 3,
      customData: { theme: 'light', constructor: [1, null] },
    });
  });

  it('S1.16: makes one row from twenty first changes at once on two processes, and loses none of them', async () => {
    const tenantId = await newTenant();
    const changes = Array.from({ length: 20 }, async (_, no) =>
      (no % 2 === 0 ? world : other).services.settingChanges.update(tenantId, {
        customData: { [`key${no}`]: no },
      }),
    );
    const versions = (await Promise.all(changes)).map(({ version }) => version);
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, no) => no + 1));
    const { customData } = await configOf(tenantId);
    expect(customData).toEqual(Object.fromEntries(Array.from({ length: 20 }, (_, no) => [`key${no}`, no])));
  });

  it('lets one of ten changes from the same version through', async () => {
    const tenantId = await newTenant();
    const calls = Array.from({ length: 10 }, async (_, no) =>
      update(tenantId, { customData: { [`key${no}`]: no }, expectedVersion: 0 }),
    );
    const codes = (await Promise.all(calls)).map(refusalIn);
    expect(codes.filter((code) => code === undefined)).toHaveLength(1);
    expect(codes.filter((code) => code === 'VERSION_CONFLICT')).toHaveLength(9);
    expect(Object.keys((await configOf(tenantId))['customData'] as object)).toHaveLength(1);
  });
});

const titlesIn = (list: Record<string, unknown> = {}): string[] =>
  (list['items'] as { title: string }[]).map(({ title }) => title);

describe('announcements', () => {
  const announce = async (tenantId: string, input: Record<string, unknown>) =>
    (await api.ask(staffOf(tenantId), ANNOUNCE, { input })).data['createAnnouncement'] ?? {};

  it('S1.16: keep their description, in the list and in the config', async () => {
    const tenantId = await newTenant();
    const description = 'Two lines,\n\nand “quotes” \u{1F389}';
    const made = await announce(tenantId, { title: ' Sale ', description: `${description}\n` });
    expect(made).toMatchObject({ announcement: { title: 'Sale', description }, errors: [] });
    const items = [{ title: 'Sale', description }];
    expect(await configOf(tenantId)).toMatchObject({ announcements: items });
    const { data } = await api.ask(staffOf(tenantId), LIST);
    expect(data['announcements']).toEqual({ total: 1, items });
  });

  it.each([
    ['a blank title', { title: '  ' }, 'TITLE_NOT_ALLOWED'],
    ['a long title', { title: 'x'.repeat(129) }, 'TITLE_NOT_ALLOWED'],
    ['a long description', { title: 'T', description: 'x'.repeat(4001) }, 'DESCRIPTION_NOT_ALLOWED'],
    [
      'a description that runs backwards',
      { title: 'T', description: 'a\n\u202eb' },
      'DESCRIPTION_NOT_ALLOWED',
    ],
    [
      'an end before the beginning',
      { title: 'T', startsAt: '2030-01-02T00:00:00Z', endsAt: '2030-01-02T00:00:00Z' },
      'WINDOW_NOT_ALLOWED',
    ],
  ])('are refused with %s, and nothing is written', async (_name, input, code) => {
    const tenantId = await newTenant();
    expect(refusalIn(await announce(tenantId, input))).toBe(code);
    expect((await api.ask(staffOf(tenantId), LIST)).data['announcements']).toMatchObject({ total: 0 });
  });

  it('are changed by editors of their tenant only: what is missing stays, and null takes an end away', async () => {
    const [tenantId, foreign] = [await newTenant(), await newTenant()];
    const window = { startsAt: '2020-01-01T00:00:00.000Z', endsAt: '2090-01-01T00:00:00.000Z' };
    const made = await announce(tenantId, { title: 'Sale', description: 'Soon', ...window });
    const { id: announcementId } = made['announcement'] as { id: string };
    const change = async (input: object, actor = staffOf(tenantId)) =>
      api.ask(actor, CHANGE, { input: { announcementId, ...input } });
    const refusal = async (input: object, actor = staffOf(tenantId)) =>
      refusalIn((await change(input, actor)).data['updateAnnouncement']);
    expect((await change({ title: 'No' }, staffOf(tenantId, 'AUDITOR'))).errors).toEqual(['FORBIDDEN']);
    expect(await refusal({ title: 'No' }, staffOf(foreign))).toBe('ANNOUNCEMENT_NOT_FOUND');
    expect(await refusal({ title: ' ' })).toBe('TITLE_NOT_ALLOWED');
    expect(await refusal({ description: 'x'.repeat(4001) })).toBe('DESCRIPTION_NOT_ALLOWED');
    expect(await refusal({ endsAt: '2019-01-01T00:00:00Z' })).toBe('WINDOW_NOT_ALLOWED');
    expect(await refusal({ startsAt: '2091-01-01T00:00:00Z' })).toBe('WINDOW_NOT_ALLOWED');
    expect(await configOf(tenantId)).toMatchObject({
      announcements: [{ title: 'Sale', description: 'Soon' }],
    });
    const changed = (await change({ title: 'Sale!', endsAt: null, expectedVersion: 1 })).data[
      'updateAnnouncement'
    ];
    const after = {
      title: 'Sale!',
      description: 'Soon',
      startsAt: window.startsAt,
      endsAt: null,
      version: 2,
    };
    expect(changed).toMatchObject({ announcement: after, errors: [] });
    expect(await refusal({ title: 'Old', expectedVersion: 1 })).toBe('VERSION_CONFLICT');
    expect(await configOf(tenantId)).toMatchObject({ announcements: [{ title: 'Sale!' }] });
    const many = Array.from({ length: 10 }, async (_, at) =>
      refusal({ title: `T${at}`, expectedVersion: 2 }),
    );
    const refusals = await Promise.all(many);
    expect(refusals.filter((each) => each === undefined)).toHaveLength(1);
    expect(refusals.filter((each) => each === 'VERSION_CONFLICT')).toHaveLength(9);
  });

  it('are deleted once, by editors of their tenant only, and not shown afterwards', async () => {
    const [tenantId, foreign] = [await newTenant(), await newTenant()];
    const made = await announce(tenantId, { title: 'A mistake' });
    const { id: announcementId } = made['announcement'] as { id: string };
    const remove = async (actor = staffOf(tenantId)) => api.ask(actor, DELETE, { input: { announcementId } });
    const refusal = async (actor = staffOf(tenantId)) =>
      refusalIn((await remove(actor)).data['deleteAnnouncement']);
    expect((await remove(staffOf(tenantId, 'AUDITOR'))).errors).toEqual(['FORBIDDEN']);
    expect(await refusal(staffOf(foreign))).toBe('ANNOUNCEMENT_NOT_FOUND');
    expect(await configOf(tenantId)).toMatchObject({ announcements: [{ title: 'A mistake' }] });
    const twice = await Promise.all([refusal(), refusal()]);
    expect(new Set(twice)).toEqual(new Set(['ANNOUNCEMENT_NOT_FOUND', undefined]));
    expect(await configOf(tenantId)).toMatchObject({ announcements: [] });
  });

  it('are shown within their window only, except to staff', async () => {
    const tenantId = await newTenant();
    await announce(tenantId, { title: 'past', endsAt: '2020-01-01T00:00:00Z' });
    await announce(tenantId, { title: 'coming', startsAt: '2100-01-01T00:00:00Z' });
    await announce(tenantId, {
      title: 'now',
      startsAt: '2020-01-01T00:00:00Z',
      endsAt: '2100-01-01T00:00:00Z',
    });
    const foreign = await newTenant();
    const titles = async (...[actor, named]: [Parameters<typeof api.ask>[0], string?]) => {
      const { data } = await api.ask(actor, LIST, {}, { tenantId: named ?? null });
      return titlesIn(data['announcements']);
    };
    expect(await titles(null, tenantId)).toEqual(['now']);
    expect(await titles({ kind: 'USER', tenantId, userId: '1' })).toEqual(['now']);
    expect(await titles(staffOf(tenantId, 'AUDITOR'))).toEqual(['now', 'coming', 'past']);
    expect(await titles(null, foreign)).toEqual([]);
  });

  it('S1.16: come 15 at a time where the page size is missing or 0', async () => {
    const tenantId = await newTenant();
    for (let no = 0; no < 17; no += 1) await announce(tenantId, { title: `No. ${no}` });
    for (const args of [{}, { size: 0 }, { size: null }, { size: 0, page: 0 }]) {
      const { data } = await api.ask(staffOf(tenantId), LIST, args);
      expect([args, data['announcements']?.['total'], titlesIn(data['announcements']).length]).toEqual([
        args,
        17,
        15,
      ]);
    }
    const { data } = await api.ask(staffOf(tenantId), LIST, { size: 0, page: 2 });
    expect(data['announcements']?.['items']).toMatchObject([{ title: 'No. 1' }, { title: 'No. 0' }]);
  });
});
