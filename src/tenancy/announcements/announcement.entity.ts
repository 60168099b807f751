import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

const AnnouncementSchema = defineEntity({
  name: 'Announcement',
  tableName: 'announcement',
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    title: p.string().length(128),
    description: p.string().length(4000),
    /** Shown while starts_at <= t < ends_at; null means without that end. */
    startsAt: instantColumn().nullable(),
    endsAt: instantColumn().nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class Announcement extends AnnouncementSchema.class {}
AnnouncementSchema.setClass(Announcement);
