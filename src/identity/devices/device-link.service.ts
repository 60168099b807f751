import { isId, type Id } from '../../platform/ids.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { systemEm } from '../../platform/database/orm.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { lockUser } from './device-rows.js';
import { linkCodeDigest, newLinkCode } from './device-secret.js';
import { DeviceLinkCode } from './device.entity.js';
import { refuse } from './device.errors.js';

const LIFE_MS = 10 * 60_000;
/** Open codes of one user. */
const CODES_MAX = 20;

export interface IssuedLinkCode {
  readonly linkCode: string;
  readonly expiresAt: Date;
}

/** Codes that link a further device to a user, or give a device that lost its secret a new one. */
export class DeviceLinkService {
  constructor(private readonly its: Pick<PlatformServices, 'orm' | 'transactions' | 'clock'>) {}

  /** @throws DomainError one of `CREATE_DEVICE_LINK_CODE_REFUSALS` */
  async create(tenantId: string, userId: Id): Promise<IssuedLinkCode> {
    if (!isId(userId)) refuse('USER_NOT_FOUND', 'userId');
    // Before the transaction: a second run after an unknown COMMIT makes the same code.
    const linkCode = newLinkCode();
    const nowMs = this.its.clock.nowMs();
    const expiresAt = new Date(nowMs + LIFE_MS);
    const digest = linkCodeDigest(tenantId, linkCode);
    await this.its.transactions.runForCaller(tenantId, async (em) => {
      const user = await lockUser(em, userId);
      if (user === null) refuse('USER_NOT_FOUND', 'userId');
      if (user.status !== 'ACTIVE') refuse('USER_DISABLED', 'userId');
      const open = { userId, expiresAt: { $gt: new Date(nowMs) }, digest: { $ne: digest } };
      if ((await em.count(DeviceLinkCode, open)) >= CODES_MAX) refuse('TOO_MANY_LINK_CODES');
      operationIsAbout(em, { type: 'user', id: userId });
      await em.upsert(DeviceLinkCode, { tenantId, digest, userId, expiresAt });
    });
    return { linkCode, expiresAt };
  }

  /** Deletes codes that have expired. @returns how many */
  async sweep(): Promise<number> {
    const expired = { expiresAt: { $lte: new Date(this.its.clock.nowMs()) } };
    return systemEm(this.its.orm).nativeDelete(DeviceLinkCode, expired, ACROSS_TENANTS);
  }
}
