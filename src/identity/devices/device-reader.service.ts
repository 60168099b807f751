import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import { Device, type DeviceStatus } from './device.entity.js';

/** More than a user binds; keeps one answer bounded. */
const LIST_MAX = 500;

export interface DeviceFilter {
  readonly userId?: string | null;
  readonly identifier?: string | null;
  readonly shortCode?: string | null;
  readonly status?: DeviceStatus | null;
  /** Missing or null takes both. */
  readonly isBound?: boolean | null;
}

/** Lists of devices. */
export class DeviceReaderService {
  /** @param listOrm where lists are read, which may take long */
  constructor(private readonly listOrm: MikroORM) {}

  /** The user's bound devices, newest first. */
  async mine(tenantId: string, userId: Id): Promise<Device[]> {
    return tenantEm(this.listOrm, tenantId).find(
      Device,
      { userId, unboundAt: null },
      { orderBy: { id: 'desc' }, limit: LIST_MAX, disableIdentityMap: true },
    );
  }

  /** Newest first, with the exact total. */
  async page(tenantId: string, filter: DeviceFilter, range: PageRange): Promise<Page<Device>> {
    const { userId, identifier, shortCode, status, isBound } = filter;
    if (userId && !isId(userId)) return EMPTY_PAGE;
    const where: FilterQuery<Device> = {
      ...(userId && { userId }),
      ...(identifier && { identifier }),
      ...(shortCode && { shortCode: shortCode.trim().normalize('NFC') }),
      ...(status && { status }),
      ...(typeof isBound === 'boolean' && { unboundAt: isBound ? null : { $ne: null } }),
    };
    return findPage(tenantEm(this.listOrm, tenantId), Device, where, range);
  }
}
