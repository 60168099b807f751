import type { BatchRowFragment } from './batches.gql';

/** What matters most about a batch to a person whose code is refused. */
export function stateOf(
  batch: Pick<BatchRowFragment, 'status' | 'voidedAt' | 'frozenAt' | 'awaitsActivation' | 'activatedAt'>,
): string {
  const { status, voidedAt, frozenAt, awaitsActivation, activatedAt } = batch;
  if (voidedAt !== null) return 'VOID';
  if (frozenAt !== null) return 'FROZEN';
  return awaitsActivation && activatedAt === null ? 'AWAITS_SALE' : status;
}

export const isUnderWay = ({ status }: BatchRowFragment): boolean =>
  status === 'PENDING' || status === 'GENERATING';
