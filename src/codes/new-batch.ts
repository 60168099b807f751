import { UNKEYED } from '../platform/database/keyed-rows.js';
import type { CodeBatch } from './code-batch.entity.js';

type Named = Pick<
  CodeBatch,
  'tenantId' | 'id' | 'campaignId' | 'status' | 'requested' | 'generated' | 'createdAt'
>;

const UNTOUCHED = {
  recipe: null,
  startedAt: null,
  finishedAt: null,
  failure: null,
  frozenAt: null,
  voidedAt: null,
  awaitsActivation: false,
  activatedAt: null,
  extendedTo: null,
  version: 1,
  ...UNKEYED,
} as const;

/** The row of a batch that nothing has happened to yet. */
export function newBatch<Own extends Named>(own: Own): typeof UNTOUCHED & Own {
  return { ...UNTOUCHED, ...own };
}
