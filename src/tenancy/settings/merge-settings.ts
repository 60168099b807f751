import { DomainError } from '../../platform/errors.js';
import { VERSION_REFUSALS } from '../../platform/database/change-row.js';
import { isQuantity } from '../../rewards/calendar.js';
import {
  DEFAULT_SECTIONS,
  type AuthSettings,
  type CustomData,
  type DeviceSettings,
  type SettingSecrets,
  type SettingSections,
} from './setting-sections.js';
import type { UpdateGlobalConfig } from './settings-input.js';
import type { TenantSettings } from './tenant-settings.service.js';

export const UPDATE_GLOBAL_CONFIG_REFUSALS = [
  'INPUT_NOT_ALLOWED',
  ...VERSION_REFUSALS,
  'SECRET_IS_EMPTY',
  'CAPTCHA_NOT_CONFIGURED',
] as const;
type UpdateGlobalConfigRefusal = (typeof UPDATE_GLOBAL_CONFIG_REFUSALS)[number];

const KEYS_MAX = 10;
const CUSTOM_BYTES_MAX = 16_384;

export interface MergedSettings extends SettingSections {
  readonly customData: CustomData;
  readonly secrets: SettingSecrets;
}

/**
 * The settings after a change. They are validated as a whole, because a change may set only a part of what must fit
 * together.
 * @throws DomainError one of {@link UPDATE_GLOBAL_CONFIG_REFUSALS}
 */
export function mergeSettings(now: TenantSettings, wanted: UpdateGlobalConfig): MergedSettings {
  const { captchaSecret, ...auth } = wanted.auth ?? {};
  const { encryptionKeys: changedKeys, ...device } = wanted.device ?? {};
  const encryptionKeys = mergeKeys(now.secrets.encryptionKeys, changedKeys ?? []);
  const mergedAuth = over('auth', now, auth);
  const merged: MergedSettings = {
    site: over('site', now, wanted.site ?? {}),
    auth: mergedAuth,
    register: over('register', now, wanted.register ?? {}),
    device: withKeyInUse(over('device', now, device), encryptionKeys),
    customData: mergeData(now.customData, wanted.customData ?? {}),
    secrets: {
      captchaSecret: captchaSecret === undefined ? keptCaptchaSecret(now, mergedAuth) : captchaSecret,
      encryptionKeys,
    },
  };
  assertUsable(merged);
  return merged;
}

/** Null clears a setting whose default is null; for any other it means unchanged. */
function over<Name extends keyof SettingSections>(
  name: Name,
  now: SettingSections,
  wanted: { readonly [Key in keyof SettingSections[Name]]?: unknown },
): SettingSections[Name] {
  const preset: Readonly<Record<string, unknown>> = { ...DEFAULT_SECTIONS[name] };
  const given = Object.entries(wanted).filter(
    ([key, value]) => value !== undefined && (value !== null || preset[key] === null),
  );
  return { ...now[name], ...Object.fromEntries(given) };
}

/** A new provider URL drops the secret: otherwise staff who do not know it could have it sent to a server of their own. */
function keptCaptchaSecret({ auth, secrets }: TenantSettings, next: AuthSettings): string | null {
  return next.captchaProviderUrl === auth.captchaProviderUrl ? secrets.captchaSecret : null;
}

function mergeKeys(
  now: SettingSecrets['encryptionKeys'],
  changed: readonly { readonly id: string; readonly secret: string | null }[],
): SettingSecrets['encryptionKeys'] {
  const keys = new Map(Object.entries(now));
  for (const { id, secret } of changed) {
    if (secret === null) keys.delete(id);
    else if (secret.trim() === '')
      refuse('SECRET_IS_EMPTY', `The key ${id} has an empty secret.`, ['device', 'encryptionKeys']);
    else keys.set(id, secret);
  }
  if (keys.size > KEYS_MAX)
    refuse('INPUT_NOT_ALLOWED', `A tenant has at most ${KEYS_MAX} keys: remove one that no client uses.`, [
      'device',
      'encryptionKeys',
    ]);
  return Object.fromEntries(keys);
}

/** The first key of a tenant is the one in use. */
function withKeyInUse(device: DeviceSettings, keys: SettingSecrets['encryptionKeys']): DeviceSettings {
  return device.encryptionKeyId === null
    ? { ...device, encryptionKeyId: Object.keys(keys)[0] ?? null }
    : device;
}

function mergeData(now: CustomData, changed: CustomData): CustomData {
  const data = new Map(Object.entries(now));
  for (const [key, value] of Object.entries(changed)) {
    if (value === null) data.delete(key);
    else data.set(key, value);
  }
  const merged = Object.fromEntries(data);
  if (Buffer.byteLength(JSON.stringify(merged)) > CUSTOM_BYTES_MAX)
    refuse('INPUT_NOT_ALLOWED', `customData is longer than ${CUSTOM_BYTES_MAX} bytes.`, ['customData']);
  return merged;
}

function assertUsable({ auth, register, device, secrets }: MergedSettings): void {
  const { trialUnit, trialQuantity } = register;
  if (!isQuantity(trialUnit, trialQuantity))
    refuse('INPUT_NOT_ALLOWED', `${trialQuantity} × ${trialUnit} is not a possible trial.`, [
      'register',
      'trialQuantity',
    ]);
  if (device.encryptionEnabled) assertKeys(device, secrets);
  const hasCaptcha = auth.captchaProviderUrl !== null && (secrets.captchaSecret ?? '').trim() !== '';
  if (auth.captchaEnabled && !hasCaptcha)
    refuse(
      'CAPTCHA_NOT_CONFIGURED',
      'A captcha needs captchaProviderUrl and captchaSecret; another captchaProviderUrl needs its captchaSecret with it.',
      ['auth', 'captchaEnabled'],
    );
}

function assertKeys(device: DeviceSettings, { encryptionKeys }: SettingSecrets): void {
  const used = [device.encryptionKeyId, device.encryptionV1KeyId].filter((id) => id !== null);
  const empty = used.find((id) => !Object.hasOwn(encryptionKeys, id));
  if (device.encryptionKeyId !== null && empty === undefined) return;
  const message =
    empty === undefined
      ? 'Encrypted transmission needs a key with a secret: send encryptionKeys.'
      : `The key ${empty} has no secret: send it in encryptionKeys, or use another key.`;
  refuse('SECRET_IS_EMPTY', message, ['device', 'encryptionKeys']);
}

function refuse(code: UpdateGlobalConfigRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field: ['input', ...field] });
}
