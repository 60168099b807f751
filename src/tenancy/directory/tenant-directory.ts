import { z } from 'zod';
import { countNumber, keyText, nameText } from '../../platform/input.js';
import { TENANT_STATUSES, TENANT_TYPES } from '../tenant.entity.js';

/** A tenant as its directory has it; of the answers of a directory, and of its events. */
export const directoryTenant = z.object({
  id: keyText(24),
  name: nameText(64),
  type: z.enum(TENANT_TYPES),
  status: z.enum(TENANT_STATUSES),
  /** Raised by every change in the directory; what is at hand is never replaced by a lower one. */
  version: countNumber(1, Number.MAX_SAFE_INTEGER),
});
export type DirectoryTenant = z.output<typeof directoryTenant>;

/** How many tenants one question may name. */
export const DIRECTORY_IDS_MAX = 100;

export const BREAKER_STATES = ['CLOSED', 'HALF_OPEN', 'OPEN'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** The system that owns names, types and statuses of tenants. */
export interface TenantDirectory {
  /** Whether it is another system; else it is the table of tenants itself. */
  readonly isRemote: boolean;
  /** Whether it is asked at all: OPEN after failures in a row, then HALF_OPEN for one attempt. */
  readonly breakerState: BreakerState;
  /** Since when it is not asked; null while it is. */
  readonly downSinceMs: number | null;
  /**
   * Those of the tenants that it knows. What it says of one and cannot be read is left out; where nothing else is left,
   * it counts as no answer.
   * @param ids at most {@link DIRECTORY_IDS_MAX}
   * @throws DirectoryUnavailableError
   */
  find(ids: readonly string[]): Promise<DirectoryTenant[]>;
}

/** The directory gave no answer that can be used. The message holds neither its address nor its token. */
export class DirectoryUnavailableError extends Error {
  override readonly name = 'DirectoryUnavailableError';
}
