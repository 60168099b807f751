import type { TimeUnit } from '../../rewards/time-unit.js';

/** What clients show of a tenant. */
export interface SiteSettings {
  readonly name: string | null;
  readonly description: string | null;
  readonly url: string | null;
  readonly logoUrl: string | null;
}

/** How callers without an account come in. */
export interface AuthSettings {
  readonly deviceSignInEnabled: boolean;
  readonly captchaEnabled: boolean;
  /** Where a captcha token is verified. */
  readonly captchaProviderUrl: string | null;
  readonly captchaSiteKey: string | null;
}

/** What happens at the first sign-in. */
export interface RegisterSettings {
  /** New users from one address (IPv6: one network) in a window; 0 means unlimited. */
  readonly signUpsPerAddress: number;
  readonly signUpWindowMinutes: number;
  /** The plan that a new user gets once; null means no trial. */
  readonly trialPlanId: string | null;
  readonly trialUnit: TimeUnit;
  readonly trialQuantity: number;
}

export interface DeviceSettings {
  /** Devices that one user may have; 0 means that only the plan limits them. */
  readonly devicesPerUser: number;
  /** Devices of one user that may be online at once; 0 means unlimited. */
  readonly onlinePerUser: number;
  readonly encryptionEnabled: boolean;
  /** The key that clients are to use now; older ones stay valid until they are removed. */
  readonly encryptionKeyId: string | null;
  /** The key of clients that speak the old form, v1; null means that v1 is refused. */
  readonly encryptionV1KeyId: string | null;
}

/** Kept encrypted; never part of an answer, an event or a log. */
export interface SettingSecrets {
  readonly captchaSecret: string | null;
  /** The secrets of encrypted transmission by the ids of their keys. */
  readonly encryptionKeys: Readonly<Record<string, string>>;
}

export type CustomData = Readonly<Record<string, unknown>>;

export interface SettingSections {
  readonly site: SiteSettings;
  readonly auth: AuthSettings;
  readonly register: RegisterSettings;
  readonly device: DeviceSettings;
}

/** A tenant that has set nothing; also for settings that are newer than a tenant's row. */
export const DEFAULT_SECTIONS: SettingSections = {
  site: { name: null, description: null, url: null, logoUrl: null },
  auth: {
    deviceSignInEnabled: false,
    captchaEnabled: false,
    captchaProviderUrl: null,
    captchaSiteKey: null,
  },
  register: {
    signUpsPerAddress: 10,
    signUpWindowMinutes: 60,
    trialPlanId: null,
    trialUnit: 'DAY',
    trialQuantity: 7,
  },
  device: {
    devicesPerUser: 0,
    onlinePerUser: 0,
    encryptionEnabled: false,
    encryptionKeyId: null,
    encryptionV1KeyId: null,
  },
};

export const NO_SECRETS: SettingSecrets = { captchaSecret: null, encryptionKeys: {} };
