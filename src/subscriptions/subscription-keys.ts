import type { Id } from '../platform/ids.js';

/** What a user holds, and the lease of the reader that may fill it. */
export const userKeys = (tenantId: string, userId: Id): [value: string, lease: string] => [
  `{${tenantId}}:subs:${userId}`,
  `{${tenantId}}:subs:${userId}:lease`,
];

/** The running subscriptions of a plan, in pages, for the nodes that it opens. */
export const planUsersKey = (tenantId: string, planId: Id): string => `{${tenantId}}:plan_users:${planId}`;
