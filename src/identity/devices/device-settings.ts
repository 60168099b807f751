import type { TenantSettingsService } from '../../tenancy/settings/tenant-settings.service.js';
import type { DeviceSettings, DeviceTerms } from './device-ports.js';

const MINUTE_MS = 60_000;

/** The tenant's settings for devices. */
export function deviceSettingsOf(settings: Pick<TenantSettingsService, 'find'>): DeviceSettings {
  return {
    of: async (tenantId): Promise<DeviceTerms | null> => {
      const found = await settings.find(tenantId);
      if (found === null) return null;
      const { auth, register, device, secrets } = found;
      const captcha = { url: auth.captchaProviderUrl ?? '', secret: secrets.captchaSecret ?? '' };
      const { trialPlanId, trialUnit, trialQuantity } = register;
      return {
        enabled: auth.deviceSignInEnabled,
        captcha: auth.captchaEnabled ? captcha : null,
        trial:
          trialPlanId === null ? null : { planId: trialPlanId, unit: trialUnit, quantity: trialQuantity },
        signUpsPerAddress: register.signUpsPerAddress,
        signUpWindowMs: register.signUpWindowMinutes * MINUTE_MS,
        devicesMax: device.devicesPerUser,
        onlineMax: device.onlinePerUser,
      };
    },
  };
}
