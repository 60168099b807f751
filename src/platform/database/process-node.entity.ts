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
  },
});
export class ProcessNode extends ProcessNodeSchema.class {}
ProcessNodeSchema.setClass(ProcessNode);
