import { changeRow } from '../../platform/database/change-row.js';
import { LockMode } from '@mikro-orm/core';
import { systemEm, type Em } from '../../platform/database/orm.js';
import { parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { activeKeyId } from '../../platform/sealed-secrets.js';
import { mergeSettings } from './merge-settings.js';
import type { SealedSettings } from './sealed-settings.js';
import { NO_SECRETS } from './setting-sections.js';
import { updateGlobalConfigInput } from './settings-input.js';
import { TenantSettingsRow } from './tenant-settings.entity.js';
import type { TenantSettings, TenantSettingsService } from './tenant-settings.service.js';

/** Changes of a tenant's settings by its staff. */
export class TenantSettingsChangeService {
  constructor(
    private readonly its: Pick<PlatformServices, 'orm' | 'transactions' | 'clock'>,
    private readonly settings: TenantSettingsService,
    private readonly sealed: SealedSettings,
  ) {}

  /**
   * Changes what is given, and makes the row where there is none: at once in this process, within a second in every
   * other.
   * @throws DomainError with a code of UPDATE_GLOBAL_CONFIG_REFUSALS
   */
  async update(tenantId: string, input: unknown): Promise<TenantSettings> {
    const wanted = parseInput(updateGlobalConfigInput, input, { input: 'INPUT_NOT_ALLOWED' });
    const changed = await this.its.transactions.run(tenantId, async (em) => {
      await this.makeRow(em, tenantId);
      const keyId = await activeKeyId(em);
      return changeRow(em, TenantSettingsRow, { tenantId }, wanted.expectedVersion, (row) => {
        const { secrets, ...sections } = mergeSettings(this.settings.settingsOf(tenantId, row), wanted);
        const updatedAt = new Date(this.its.clock.nowMs());
        return { ...sections, ...this.sealed.seal(tenantId, secrets, keyId), updatedAt };
      });
    });
    this.settings.invalidate(tenantId);
    return this.settings.settingsOf(tenantId, changed?.after ?? null);
  }

  /** For a rotation of the pepper: seals all secrets by the active one. Nothing else of the settings changes. */
  async reseal(): Promise<void> {
    const rows: { tenantId: string }[] = await systemEm(this.its.orm).execute(
      `select tenant_id as tenantId from tenant_settings
       where key_id <> (select key_id from code_pepper where state = 'ACTIVE')`,
    );
    for (const { tenantId } of rows)
      await this.its.transactions.run(tenantId, async (em) => {
        const options = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true };
        const row = await em.findOneOrFail(TenantSettingsRow, { tenantId }, options);
        const secrets = this.sealed.open(tenantId, row);
        if (secrets === NO_SECRETS) return;
        const sealed = this.sealed.seal(tenantId, secrets, await activeKeyId(em));
        await em.nativeUpdate(TenantSettingsRow, { tenantId }, sealed);
      });
  }

  /** An existing row is locked and stays; a new one is undone with a change that is refused. */
  private async makeRow(em: Em, tenantId: string): Promise<void> {
    await em.execute(
      `insert into tenant_settings
         (tenant_id, site, auth, register, device, custom_data, version, updated_at)
       values (?, '{}', '{}', '{}', '{}', '{}', 0, ?)
       on duplicate key update tenant_id = values(tenant_id)`,
      [tenantId, new Date(this.its.clock.nowMs())],
    );
  }
}
