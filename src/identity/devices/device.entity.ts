import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

export const DEVICE_STATUSES = ['ENABLED', 'DISABLED'] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

const IDENTIFIER_LENGTH_MAX = 64;
export const USER_AGENT_LENGTH_MAX = 512;
export const SHORT_CODE_LENGTH_MAX = 32;

/** A device of a user. The row stays when it is unbound; the same identifier may then be bound again, by another row. */
const DeviceSchema = defineEntity({
  name: 'Device',
  tableName: 'device',
  uniques: [{ name: 'uq_device__tenant_bound', properties: ['tenantId', 'boundIdentifier'] }],
  indexes: [
    { name: 'ix_device__tenant_user', properties: ['tenantId', 'userId', 'id'] },
    { name: 'ix_device__tenant_identifier', properties: ['tenantId', 'identifier', 'id'] },
    { name: 'ix_device__tenant_short_code', properties: ['tenantId', 'shortCode', 'id'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    userId: idColumn(),
    /** Chosen by the client: visible ASCII. */
    identifier: p.string().length(IDENTIFIER_LENGTH_MAX),
    /** As it was sent last, cut to its column. */
    userAgent: p.string().length(USER_AGENT_LENGTH_MAX),
    /** Shown on the device, so that a customer can read it out to staff. */
    shortCode: p.string().length(SHORT_CODE_LENGTH_MAX).nullable(),
    /** Digest of the secret that authenticates the device. */
    secretDigest: p.string().length(43),
    status: p.enum(() => DEVICE_STATUSES).$type<DeviceStatus>(),
    version: versionColumn(),
    createdAt: instantColumn(),
    /** The last sign-in or refresh of a session. */
    lastSeenAt: instantColumn(),
    unboundAt: instantColumn().nullable(),
    /** Kept by the database: the identifier while the device is bound; null afterwards. */
    boundIdentifier: p
      .string()
      .length(IDENTIFIER_LENGTH_MAX)
      .nullable()
      .lazy()
      .generated('(case when unbound_at is null then identifier end) stored'),
  },
});
export class Device extends DeviceSchema.class {}
DeviceSchema.setClass(Device);

const AUTH_METHOD_KINDS = ['DEVICE'] as const;
export type AuthMethodKind = (typeof AUTH_METHOD_KINDS)[number];

/** The primary key of what belongs to one identifier of a tenant. */
const identifierKey = () => ({
  tenantId: tenantColumn().primary(),
  kind: p
    .enum(() => AUTH_METHOD_KINDS)
    .$type<AuthMethodKind>()
    .primary(),
  identifier: p.string().length(IDENTIFIER_LENGTH_MAX).primary(),
});

/** The user of an identifier. The primary key allows one, however many sign-ups run at once. */
const AuthMethodSchema = defineEntity({
  name: 'AuthMethod',
  tableName: 'auth_method',
  indexes: [{ name: 'ix_auth_method__tenant_user', properties: ['tenantId', 'userId'] }],
  properties: {
    ...identifierKey(),
    userId: idColumn(),
    createdAt: instantColumn(),
  },
});
export class AuthMethod extends AuthMethodSchema.class {}
AuthMethodSchema.setClass(AuthMethod);

/** The trial that an identifier was given. It outlives the binding, so that no identifier gets a second one. */
const TrialGrantSchema = defineEntity({
  name: 'TrialGrant',
  tableName: 'trial_grant',
  properties: {
    ...identifierKey(),
    /** What the subscription names as its order; a trial has none. */
    id: idColumn(),
    userId: idColumn(),
    subscriptionId: idColumn(),
    grantedAt: instantColumn(),
  },
});
export class TrialGrant extends TrialGrantSchema.class {}
TrialGrantSchema.setClass(TrialGrant);

/** A code with which one further device joins a user; deleted when it is used. */
const DeviceLinkCodeSchema = defineEntity({
  name: 'DeviceLinkCode',
  tableName: 'device_link_code',
  indexes: [
    { name: 'ix_device_link_code__tenant_user', properties: ['tenantId', 'userId'] },
    // Of all tenants, for the sweep.
    { name: 'ix_device_link_code__expires', properties: ['expiresAt'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    digest: p.string().length(43).primary(),
    userId: idColumn(),
    expiresAt: instantColumn(),
  },
});
export class DeviceLinkCode extends DeviceLinkCodeSchema.class {}
DeviceLinkCodeSchema.setClass(DeviceLinkCode);
