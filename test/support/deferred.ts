import { vi } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { keysOf } from './redis-keys.js';
import { openClaim } from './open-claim.js';
import { emOf, seedCampaign, seedTenant, seedUser, type SeededTenant, type World } from './world.js';

/** Redemptions are deferred soon, and their jobs give up soon. */
export const IMPATIENT = { REPLY_WITHIN_MS: '300', PENDING_ATTEMPTS: '3', PENDING_BACKOFF_MS: '50' };

export interface SeededCode extends SeededTenant {
  readonly code: string;
  readonly codeId: string;
  readonly userId: string;
}

export async function seedCode(world: World, useLimit = 1): Promise<SeededCode> {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit } });
  const code = codes[0] ?? '';
  const { id: codeId } = await emOf(world, tenant.tenantId).findOneOrFail(Code, { codeText: code });
  return { ...tenant, code, codeId, userId: await seedUser(world, tenant.tenantId) };
}

/** Defers a redemption as a process does that answers PROCESSING and then dies. */
export async function deferRedemption(
  world: World,
  seeded: SeededCode,
  idempotencyKey: string | null = null,
): Promise<Claim> {
  const claim = await openClaim(world, seeded, seeded.code, seeded.userId, idempotencyKey);
  // A process that dies knows no more of it.
  await world.services.pendingRedemptions.defer(seeded.tenantId, [{ ...claim }]);
  return claim;
}

export async function orderStatus(
  { services: { orders, pendingRedemptions } }: World,
  tenantId: string,
  orderNo: string,
  userId: string | null,
): Promise<string | null> {
  const order = await orders.find(tenantId, orderNo, userId, async (tenant, no) =>
    pendingRedemptions.deferredOrder(tenant, no),
  );
  return order?.status ?? null;
}

export async function settledEvents(world: World, tenantId: string): Promise<Record<string, unknown>[]> {
  const events = await emOf(world, tenantId).find(OutboxEvent, { type: 'redemption_settled' });
  return events.map(({ payload }) => payload);
}

/** The keys of the jobs of a tenant's deferred redemptions. */
export async function jobsOf({ stores }: World, tenantId: string): Promise<string[]> {
  return keysOf(stores.redis, `*:pending-redemptions:r*_${tenantId}`);
}

/** Deletes the jobs from Redis and leaves the tenant's own keys. */
export async function loseJobs(world: World, tenantId: string): Promise<void> {
  const jobs = await jobsOf(world, tenantId);
  if (jobs.length > 0) await world.stores.redis.del(jobs);
}

export async function eventually(look: () => Promise<void>, timeout = 30_000): Promise<void> {
  await vi.waitFor(look, { timeout, interval: 50 });
}
