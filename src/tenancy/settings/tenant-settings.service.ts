import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../../platform/database/orm.js';
import { ReadCache } from '../../platform/read-cache.js';
import { within } from '../../platform/scheduling/timeout.js';
import { Tenant } from '../tenant.entity.js';
import type { SealedSettings } from './sealed-settings.js';
import {
  DEFAULT_SECTIONS,
  NO_SECRETS,
  type CustomData,
  type SettingSecrets,
  type SettingSections,
} from './setting-sections.js';
import { TenantSettingsRow } from './tenant-settings.entity.js';

/** How long an id that names no active tenant is remembered: anyone can ask for any. */
const MISSING_TTL_MS = 500;

/** Everything that a tenant has set, with defaults for the rest. */
export interface TenantSettings extends SettingSections {
  readonly tenantId: string;
  /** Raised by every change; 0 before the first one. */
  readonly version: number;
  readonly customData: CustomData;
  /** Never part of an answer, an event or a log. */
  readonly secrets: SettingSecrets;
}

/** The settings of tenants, as every request may need them. */
export class TenantSettingsService {
  private readonly cache: ReadCache<TenantSettings>;

  constructor(
    private readonly orm: MikroORM,
    private readonly sealed: SealedSettings,
    timeoutMs: number,
  ) {
    const read = async (tenantId: string) => within(timeoutMs, 'database', this.read(tenantId));
    // While the database is away nothing is changed, so what was read last stands.
    this.cache = new ReadCache(read, { missingTtlMs: MISSING_TTL_MS, outlastsStore: true });
  }

  /**
   * At most a second old, on every process.
   * @returns null where there is no such tenant, or it is disabled
   * @throws StoreUnavailableError when the database does not answer and the settings were not known before
   */
  async find(tenantId: string): Promise<TenantSettings | null> {
    return this.cache.find(tenantId, '');
  }

  /** After a change in this process, so that the next request goes by it. */
  invalidate(tenantId: string): void {
    this.cache.invalidate(tenantId, '');
  }

  /** What a row says; null means that nothing was set yet. */
  settingsOf(tenantId: string, row: TenantSettingsRow | null): TenantSettings {
    const { site, auth, register, device } = DEFAULT_SECTIONS;
    return {
      tenantId,
      version: row?.version ?? 0,
      site: { ...site, ...row?.site },
      auth: { ...auth, ...row?.auth },
      register: { ...register, ...row?.register },
      device: { ...device, ...row?.device },
      customData: row?.customData ?? {},
      secrets: row === null ? NO_SECRETS : this.sealed.open(tenantId, row),
    };
  }

  private async read(tenantId: string): Promise<TenantSettings | null> {
    const em = tenantEm(this.orm, tenantId);
    const tenant = await em.findOne(Tenant, { id: tenantId }, { disableIdentityMap: true });
    if (tenant?.status !== 'ACTIVE') return null;
    const row = await em.findOne(TenantSettingsRow, { tenantId }, { disableIdentityMap: true });
    return this.settingsOf(tenantId, row);
  }
}
