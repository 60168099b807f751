import type { Logger } from '../platform/observability/log.js';
import type { CodeCopyService } from './code-copy.service.js';
import type { Code } from './code.entity.js';

/**
 * Tells Redis of a change at once, after its commit. Where Redis does not answer the change stands all the same:
 * the outbox tells it again, and until then the commit decides by the row.
 */
export class CodeRefresh {
  constructor(
    private readonly copies: Pick<CodeCopyService, 'bumpEpoch' | 'evict'>,
    private readonly log: Logger,
  ) {}

  /** Codes were added, or a campaign or a batch was changed. */
  async added(tenantId: string): Promise<void> {
    await this.attempt(this.copies.bumpEpoch(tenantId), tenantId);
  }

  async changed(tenantId: string, codes: readonly Pick<Code, 'codeDigest' | 'version'>[]): Promise<void> {
    const evictions = codes.map(async (code) => this.copies.evict(tenantId, code.codeDigest, code.version));
    await this.attempt(Promise.all(evictions), tenantId);
  }

  private async attempt(work: Promise<unknown>, tenantId: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.log.warn({ err: error, tenantId }, 'copies of codes were not refreshed at once');
    }
  }
}
