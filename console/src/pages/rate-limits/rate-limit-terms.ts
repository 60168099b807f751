import type { RateLimitScope } from './rate-limits.gql';

export const SCOPES = ['PRODUCT_LINE', 'USER', 'DEVICE', 'IP'] as const satisfies readonly RateLimitScope[];

export const SCOPE_TEXTS: Readonly<Record<RateLimitScope, string>> = {
  PRODUCT_LINE: 'All callers together',
  USER: 'Each user',
  DEVICE: 'Each device',
  IP: 'Each address',
};
