import { present } from '../../platform/assert.js';
import { systemEm, type Em } from '../../platform/database/orm.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { CodeImport } from './code-import.entity.js';
import type { ImportRefusal } from './code-import.errors.js';
import { NO_FILE, type CodeImportService } from './code-import.service.js';
import { dropParts, type Upload } from './import-parts.js';

const DAY_MS = 86_400_000;
/** Longer than any request that sends a file. */
const ABANDONED_AFTER_MS = DAY_MS;
/** How long staff have to let a stopped import continue without sending its file again. */
export const STOPPED_KEPT_DAYS = 7;
/** What one look finds: memory must not grow with the number of files. */
const AT_ONCE = 100;
const BEFORE_ALL: Id = '0';

/** Refusals of imports that never continue: what is left of them is found by their batches. */
const GIVEN_UP: ImportRefusal[] = ['BATCH_CANCELLED', 'BATCH_VOIDED'];

/**
 * Uploads that nothing will read: they broke off with their process; or another one became the file of their import; or
 * that import is finished, or was given up.
 */
const NOT_NEEDED = `select p.tenant_id as tenantId, cast(p.import_id as char) as importId, cast(p.upload_id as char) as uploadId
   from (select distinct tenant_id, import_id, upload_id from code_import_part) p
   join code_import i on i.tenant_id = p.tenant_id and i.id = p.import_id
   join code_batch b on b.tenant_id = i.tenant_id and b.id = i.id
  where (i.upload_id is null and i.progress_at < ?) or p.upload_id <> i.upload_id
    or i.finished_at is not null or b.status in ('FAILED', 'CANCELLED')
  limit ${AT_ONCE}`;

interface RetentionParts extends Pick<PlatformServices, 'orm' | 'clock'> {
  readonly imports: CodeImportService;
}

/** Deletes files of imports that are no longer needed, of all tenants. Any number of workers may run it at once. */
export class ImportFileRetention {
  constructor(private readonly its: RetentionParts) {}

  /** @returns how many parts were deleted */
  async prune(): Promise<number> {
    const em = systemEm(this.its.orm);
    let dropped = 0;
    for await (const upload of this.notNeeded(em)) dropped += await dropParts(em, upload);
    for await (const upload of this.expired(em)) dropped += await dropParts(em, upload);
    return dropped;
  }

  /** Those that were found are deleted when the next ones are looked for. */
  private async *notNeeded(em: Em): AsyncGenerator<Upload> {
    const before = new Date(this.its.clock.nowMs() - ABANDONED_AFTER_MS);
    for (;;) {
      const found = await em.execute<Upload[]>(NOT_NEEDED, [before]);
      yield* found;
      if (found.length < AT_ONCE) return;
    }
  }

  /** Files of imports that stopped long ago, which need another upload to continue. */
  private async *expired(em: Em): AsyncGenerator<Upload> {
    const before = new Date(this.its.clock.nowMs() - STOPPED_KEPT_DAYS * DAY_MS);
    const hasStopped = { finishedAt: null, refusal: { $nin: GIVEN_UP }, progressAt: { $lt: before } };
    const options = { orderBy: { uploadId: 'asc' }, limit: AT_ONCE, disableIdentityMap: true } as const;
    for (let after: Id = BEFORE_ALL; ;) {
      const where = { ...hasStopped, uploadId: { $gt: after } };
      const found = await em.find(CodeImport, where, { ...options, ...ACROSS_TENANTS });
      for (const state of found) {
        after = present(state.uploadId, 'The upload of a file');
        const { tenantId, id: importId } = state;
        if (await this.its.imports.change(state, NO_FILE)) yield { tenantId, importId, uploadId: after };
      }
      if (found.length < AT_ONCE) return;
    }
  }
}
