import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

const SubscriptionNodeSchema = defineEntity({
  name: 'SubscriptionNode',
  tableName: 'subscription_node',
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    /** Where subscribers reach it: a host, or a URL. */
    address: p.string().length(255),
    /** Plans open nodes by these, beside the ids that they name. */
    tags: p.json().$type<string[]>(),
    /** A node that is not enabled is shown to no subscriber, and lets none in. */
    enabled: p.boolean(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class SubscriptionNode extends SubscriptionNodeSchema.class {}
SubscriptionNodeSchema.setClass(SubscriptionNode);
