import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, instantColumn } from '../database/columns.js';

/** Who does what only one process at a time does, and until when. Rows stay, or their fences would begin again. */
const LeaseSchema = defineEntity({
  name: 'Lease',
  tableName: 'lease',
  properties: {
    name: p.string().length(64).primary(),
    /** A random id; empty once the lease was given back. */
    owner: p.character().length(36),
    /** Raised by one with each new holder: what a holder writes is refused under a later number. */
    fence: countColumn(),
    /** By the database's clock, the only one that all processes share. */
    expiresAt: instantColumn(),
  },
});
export class Lease extends LeaseSchema.class {}
LeaseSchema.setClass(Lease);
