const KEY = 'redeemkit.tenant';

/** The tenant of the last sign-in in this browser, so that it need not be typed again. */
export const rememberedTenant = (): string => localStorage.getItem(KEY) ?? '';
export const rememberTenant = (tenantId: string): void => localStorage.setItem(KEY, tenantId);
