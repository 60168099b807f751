import type { Id } from '../ids.js';

/** What is for one user. All keys and channels of a tenant share its hash tag. */
export const userChannel = (tenantId: string, userId: Id): string => `{${tenantId}}:events:user:${userId}`;

/** What is for the staff of a tenant. */
export const tenantChannel = (tenantId: string): string => `{${tenantId}}:events:tenant`;
