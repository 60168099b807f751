import type { ErasedTraces, ErasedUser, UserErasure } from '../../identity/identity.module.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';

const FIND_DEVICES = `select distinct device_id as deviceId from redemption where tenant_id = ? and user_id = ? and device_id is not null
  union select distinct device_id from refused_attempt where tenant_id = ? and user_id = ? and device_id is not null`;
/** Jobs of deferred redemptions are kept for a day after they are done, and are open for two hours before. */
const FIND_RECENT = `select cast(id as char) as id from redemption where tenant_id = ? and user_id = ? and claimed_at > ? - interval 2 day`;
const ERASE_REDEMPTIONS =
  'update redemption set device_id = null where tenant_id = ? and user_id = ? and device_id is not null';
const DELETE_ATTEMPTS = 'delete from refused_attempt where tenant_id = ? and user_id = ?';

/** What redemptions and refused attempts tell of devices and addresses. */
export class RedemptionErasure implements UserErasure {
  /** @param forgetJobs drops jobs that settled redemptions; their data hold the device */
  constructor(
    private readonly forgetJobs: (tenantId: string, redemptionIds: readonly Id[]) => Promise<void>,
  ) {}

  async erase(em: Em, { tenantId, userId, now }: ErasedUser, traces: ErasedTraces): Promise<void> {
    const user = [tenantId, userId] as const;
    const devices = await em.execute<{ deviceId: string }[]>(FIND_DEVICES, [...user, ...user]);
    for (const { deviceId } of devices) traces.deviceIds.add(deviceId);
    const recent = await em.execute<{ id: Id }[]>(FIND_RECENT, [...user, now]);
    for (const { id } of recent) traces.redemptionIds.add(id);
    await em.execute(ERASE_REDEMPTIONS, [...user]);
    await em.execute(DELETE_ATTEMPTS, [...user]);
  }

  async forget({ tenantId }: ErasedUser, { redemptionIds }: ErasedTraces): Promise<void> {
    await this.forgetJobs(tenantId, [...redemptionIds]);
  }
}
