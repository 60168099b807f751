import { defineEntity, p } from '@mikro-orm/core';
import type { PartnerScope } from '../../graphql/actor.js';
import { idColumn, instantColumn, tenantColumn } from '../../platform/database/columns.js';

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  uniques: [{ name: 'uq_api_key__digest', properties: ['digest'] }],
  indexes: [{ name: 'ix_api_key__partner', properties: ['tenantId', 'partnerId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    partnerId: idColumn(),
    name: p.string().length(64),
    /** SHA-256 of the key. The key itself is shown once and stored nowhere. */
    digest: p.string().length(43).lazy().hidden(),
    lastFour: p.character().length(4),
    scopes: p.json().$type<PartnerScope[]>(),
    /** The product lines that the key is limited to; null for all of the tenant. */
    productCodes: p.json().$type<string[]>().nullable(),
    /** The first instant at which it is refused. */
    expiresAt: instantColumn().nullable(),
    /** To the minute. */
    lastUsedAt: instantColumn().nullable(),
    revokedAt: instantColumn().nullable(),
    /** Whether tokens of users that the key has made outlive its revocation, as in a rotation. */
    keepsUserTokens: p.boolean().default(false),
    createdAt: instantColumn(),
    createdBy: p.string().length(64),
  },
});
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
