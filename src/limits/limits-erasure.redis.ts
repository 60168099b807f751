import type { ErasedTraces, ErasedUser, UserErasure } from '../identity/identity.module.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import { olderAttemptsKey } from './rate-limit.service.js';

/** Drops the windows of an erased user's devices, whose keys name them; an address is of others, too, and expires. */
export class LimitsErasure implements UserErasure {
  constructor(
    private readonly redis: Redis,
    private readonly lines: Pick<ProductLineService, 'list'>,
  ) {}

  async forget({ tenantId }: ErasedUser, { deviceIds }: ErasedTraces): Promise<void> {
    if (deviceIds.size === 0) return;
    const lines = await this.lines.list(tenantId);
    const keys = [...deviceIds].flatMap((deviceId) => {
      const device = encodeURIComponent(deviceId);
      const windows = lines
        .map(({ code }) => `{${tenantId}}:rate:device:${code}:${device}`)
        .flatMap((key) => [key, `${key}:preview`])
        .flatMap((key) => [key, olderAttemptsKey(key)]);
      return [...windows, `{${tenantId}}:lockout:device:${device}`];
    });
    await answered(this.redis.del(...keys));
  }
}
