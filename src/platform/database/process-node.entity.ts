import { defineEntity, p } from '@mikro-orm/core';
import { instantColumn, smallCountColumn } from './columns.js';

/** Which process holds which node number of the id space, and until when. */
const ProcessNodeSchema = defineEntity({
  name: 'ProcessNode',
  tableName: 'process_node',
  properties: {
    nodeNo: smallCountColumn().primary().autoincrement(false),
    owner: p.character().length(36),
    leasedUntil: instantColumn(),
    /** Fingerprints of the keys that the process can read with, joined by commas; null before there were any. */
    keyPrints: p.string().length(255).nullable(),
    /** `api`, `worker` or `all`; null for commands, as are the columns below. */
    role: p.string().length(8).nullable(),
    /** Of the program. */
    version: p.string().length(40).nullable(),
    startedAt: instantColumn().nullable(),
    /** When the process last said that it runs. */
    seenAt: instantColumn().nullable(),
  },
});
export class ProcessNode extends ProcessNodeSchema.class {}
ProcessNodeSchema.setClass(ProcessNode);
