import type { SealingKey, SecretResealing } from '../platform/sealed-secrets.js';
import { Announcement } from './announcements/announcement.entity.js';
import { AnnouncementResolver } from './announcements/announcement.resolver.js';
import { AnnouncementService } from './announcements/announcement.service.js';
import { composeDirectory, directoryOf, type DirectoryNeeds } from './directory/compose-directory.js';
import { directoryMetrics } from './directory/directory.metrics.js';
import { TenantDirectoryResolver } from './directory/tenant-directory.resolver.js';
import { TenantEvent, TenantEventLetter } from './directory/tenant-event.entity.js';
import { ProductLine } from './product-line.entity.js';
import { ProductLineResolver } from './product-line.resolver.js';
import { ProductLineService } from './product-line.service.js';
import { GlobalConfigResolver } from './settings/global-config.resolver.js';
import { SealedSettings } from './settings/sealed-settings.js';
import { TenantSettingsChangeService } from './settings/tenant-settings-change.service.js';
import { TenantSettingsRow } from './settings/tenant-settings.entity.js';
import { TenantSettingsService } from './settings/tenant-settings.service.js';
import { TenantChangeService, type TenantCopies } from './tenant-change.service.js';
import { Tenant } from './tenant.entity.js';
import { TenantResolver } from './tenant.resolver.js';
import { TenantService } from './tenant.service.js';
import { TENANCY_PERMISSIONS } from './tenancy.permissions.js';

interface Needs extends Omit<DirectoryNeeds, 'tenants' | 'tenantCopies'> {
  readonly codePeppers: readonly SealingKey[];
}

/** Tenants, their product lines, settings and announcements. */
export const tenancy = {
  name: 'tenancy',
  entities: [Tenant, TenantEvent, TenantEventLetter, ProductLine, TenantSettingsRow, Announcement],
  resolvers: [
    TenantResolver,
    TenantDirectoryResolver,
    ProductLineResolver,
    GlobalConfigResolver,
    AnnouncementResolver,
  ],
  permissions: TENANCY_PERMISSIONS,
  metrics: directoryMetrics,
  compose: (its: Needs) => {
    const { orm, readOrm, clock, transactions } = its;
    const tenants = new TenantService(orm, clock, transactions, readOrm);
    const lines = new ProductLineService(its);
    const sealed = new SealedSettings(its.codePeppers, its.log);
    const settings = new TenantSettingsService(orm, sealed, its.config.STORE_TIMEOUT_MS);
    const settingChanges = new TenantSettingsChangeService(its, settings, sealed);
    const announcements = new AnnouncementService(its);
    /** Features that seal secrets by the pepper put themselves in. */
    const secretResealings: SecretResealing[] = [async () => settingChanges.reseal()];
    /** Features that keep names, statuses or time zones of tenants as well; they put themselves in. */
    const tenantCopies: Partial<TenantCopies>[] = [{ changed: (tenantId) => settings.invalidate(tenantId) }];
    const ownDirectory = directoryOf(its);
    const tenantChanges = new TenantChangeService(transactions, tenants, tenantCopies, ownDirectory);
    const { services: ofDirectory, jobs } = composeDirectory({ ...its, tenants, tenantCopies }, ownDirectory);
    return {
      jobs,
      services: {
        ...ofDirectory,
        tenants,
        tenantChanges,
        tenantCopies,
        lines,
        settings,
        settingChanges,
        secretResealings,
        announcements,
      },
      resolvers: [
        new TenantResolver(tenants, tenantChanges),
        new TenantDirectoryResolver(ofDirectory.directory),
        new ProductLineResolver(lines),
        new GlobalConfigResolver(settings, settingChanges, announcements),
        new AnnouncementResolver(announcements, settings),
      ],
    };
  },
};
