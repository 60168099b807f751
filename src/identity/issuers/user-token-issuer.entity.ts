import { defineEntity, p } from '@mikro-orm/core';
import { instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

const UserTokenIssuerSchema = defineEntity({
  name: 'UserTokenIssuer',
  tableName: 'user_token_issuer',
  uniques: [{ name: 'uq_user_token_issuer__issuer', properties: ['issuer'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    /** The claim `iss` of the tenant's tokens; of one tenant only, because it tells whose token it is. */
    issuer: p.string().length(255),
    audience: p.string().length(255),
    /** Where the public keys are. */
    jwksUrl: p.string().length(1024),
    /** The claim that holds the user's tags; null for tokens without tags. */
    tagsClaim: p.string().length(64).nullable(),
    enabled: p.boolean(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
/** A server of the tenant's own that signs its users in. */
export class UserTokenIssuer extends UserTokenIssuerSchema.class {}
UserTokenIssuerSchema.setClass(UserTokenIssuer);
