import { defineEntity, p } from '@mikro-orm/core';
import { instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';
import type {
  AuthSettings,
  CustomData,
  DeviceSettings,
  RegisterSettings,
  SiteSettings,
} from './setting-sections.js';

/** What a tenant has set. Each section holds only what was set; the rest are defaults. */
const TenantSettingsSchema = defineEntity({
  name: 'TenantSettingsRow',
  tableName: 'tenant_settings',
  properties: {
    tenantId: tenantColumn().primary(),
    site: p.json().$type<Partial<SiteSettings>>(),
    auth: p.json().$type<Partial<AuthSettings>>(),
    register: p.json().$type<Partial<RegisterSettings>>(),
    device: p.json().$type<Partial<DeviceSettings>>(),
    customData: p.json().$type<CustomData>(),
    /** The secrets of all sections, encrypted; null where there are none. */
    sealedSecrets: p.blob().columnType('mediumblob').nullable(),
    /** Of the pepper that the key of the encryption is made of. */
    keyId: p.tinyint().unsigned().nullable(),
    version: versionColumn(),
    updatedAt: instantColumn(),
  },
});
export class TenantSettingsRow extends TenantSettingsSchema.class {}
TenantSettingsSchema.setClass(TenantSettingsRow);
