import { isSet } from '../platform/assert.js';
import type { OutboxDraft } from '../platform/outbox/outbox.js';
import type { CodeBatch } from './code-batch.entity.js';
import type { Pace } from './batch-pace.js';
import type { Code } from './code.entity.js';

/** Events tell of digests, never of codes. Copies in Redis follow them by the version. */
export function codeChanged(code: Pick<Code, 'id' | 'codeDigest' | 'version'>): OutboxDraft {
  const { id, codeDigest, version } = code;
  return { type: 'code_changed', userId: null, payload: { codeId: id, digest: codeDigest, version } };
}

export function codesGenerated(batch: Pick<CodeBatch, 'id' | 'campaignId' | 'generated'>): OutboxDraft {
  const { id, campaignId, generated } = batch;
  return { type: 'codes_generated', userId: null, payload: { batchId: id, campaignId, count: generated } };
}

export function batchChanged(
  batch: Pick<
    CodeBatch,
    'id' | 'campaignId' | 'frozenAt' | 'voidedAt' | 'awaitsActivation' | 'extendedTo' | 'version'
  >,
): OutboxDraft {
  const { id, campaignId, frozenAt, voidedAt, awaitsActivation, extendedTo = null, version } = batch;
  // Each flag is the instant at which it was raised.
  const flags = { frozen: isSet(frozenAt), voided: isSet(voidedAt) };
  return {
    type: 'batch_changed',
    userId: null,
    payload: { batchId: id, campaignId, ...flags, awaitsActivation, extendedTo, version },
  };
}

/** How far a batch is, as stored by the transaction of the event; a batch that is READY tells it by `codes_generated`. */
export function batchProgressed(
  batch: Pick<CodeBatch, 'id' | 'campaignId' | 'status' | 'requested' | 'generated'>,
  pace: Pace,
): OutboxDraft {
  const { id, campaignId, status, requested, generated } = batch;
  return {
    type: 'batch_progress',
    userId: null,
    payload: { batchId: id, campaignId, status, requested, generated, ...pace },
  };
}
