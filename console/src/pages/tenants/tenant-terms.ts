import type { TenantStatus, TenantType } from './tenants.gql';

export const STATUSES = ['ACTIVE', 'DISABLED'] as const satisfies readonly TenantStatus[];
export const TYPES = ['CHANNEL', 'PLATFORM'] as const satisfies readonly TenantType[];
