import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn } from '../../platform/database/columns.js';

/** What a session belongs to: a member of staff, or a user on one of the user's devices. */
export const SESSION_KINDS = ['STAFF', 'DEVICE'] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

export const SESSION_END_REASONS = [
  'SIGNED_OUT',
  'REFRESH_TOKEN_REUSED',
  'DISABLED',
  'ROLE_CHANGED',
  'CREDENTIALS_CHANGED',
  'UNBOUND',
  'TOO_MANY_ONLINE',
] as const;
export type SessionEndReason = (typeof SESSION_END_REASONS)[number];

/** A sign-in: all access and refresh tokens that follow from it are one family, and end with this row. */
const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'session',
  indexes: [
    { name: 'ix_session__tenant_changed', properties: ['tenantId', 'changedAt'] },
    { name: 'ix_session__tenant_subject', properties: ['tenantId', 'kind', 'subjectId'] },
    { name: 'ix_session__tenant_device', properties: ['tenantId', 'deviceId'] },
    { name: 'ix_session__expires', properties: ['expiresAt'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    kind: p.enum(() => SESSION_KINDS).$type<SessionKind>(),
    /** The member of staff, or the user. */
    subjectId: idColumn(),
    deviceId: idColumn().nullable(),
    /** Of the part that all refresh tokens of the session share: it tells a spent token from an invented one. */
    familyDigest: p.string().length(43),
    /** Of the secret in the only refresh token that is accepted. */
    refreshDigest: p.string().length(43),
    /** From which it was opened. */
    ip: p.string().length(45).nullable(),
    createdAt: instantColumn(),
    /** Moved by each refresh. */
    expiresAt: instantColumn(),
    endedAt: instantColumn().nullable(),
    endedReason: p
      .enum(() => SESSION_END_REASONS)
      .$type<SessionEndReason>()
      .nullable(),
    /** The server's own note of the last change of the row, except for refreshes. */
    changedAt: p
      .datetime()
      .columnType('timestamp(3)')
      .extra('on update current_timestamp(3)')
      .nullable()
      .lazy(),
  },
});
export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
