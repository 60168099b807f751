import { z } from 'zod';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { foreignKeyText, parseInput } from '../../platform/input.js';
import { insertNew } from '../../platform/database/insert-new.js';
import { callKeyOf, findKeyed, makeOnce } from '../../platform/database/keyed-rows.js';
import type { Page, PageRange } from '../../platform/database/find-page.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { CodeBatch } from '../code-batch.entity.js';
import { newBatch } from '../new-batch.js';
import { openCampaign } from '../open-campaign.js';
import { CodeImport, CodeImportRefusal } from './code-import.entity.js';
import type { ImportRefusal } from './code-import.errors.js';
import { importPages, type ImportPage } from './import-pages.js';
import { assertTakesLines, type ImportWriter } from './import-writer.js';

const importCodesInput = z.strictObject({
  campaignId: z.string().max(24),
  idempotencyKey: foreignKeyText,
});

type ImportChange = Partial<Pick<CodeImport, 'refusal' | 'progressAt' | 'uploadId' | 'parts'>>;
/** Of an import that waits for its file, perhaps once more. */
export const NO_FILE = { uploadId: null, parts: null } as const;

interface ImportCollaborators extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions'
> {
  readonly writer: ImportWriter;
  /** Resolves when the process has a moment for this tenant's bulk work. */
  readonly turn: (tenantId: string) => Promise<void>;
}

export interface ImportRun {
  /** Asked before each page. */
  readonly mayGoOn?: () => boolean;
  /** After each page, for a progress bar. */
  readonly onPage?: (state: CodeImport) => void;
}

/**
 * Takes codes of another system from CSV, line by line and in bounded memory. A page of lines is one transaction, which
 * also notes how far the file is done: after an interruption the same file is sent again under the same key, and what
 * is done is passed over.
 */
export class CodeImportService {
  constructor(private readonly its: ImportCollaborators) {}

  /** Begins an import, or finds the one that was begun under this key. @throws DomainError one of {@link IMPORT_CODES_REFUSALS} */
  async begin(tenantId: string, input: unknown): Promise<CodeImport> {
    const wanted = parseInput<typeof importCodesInput, ImportRefusal>(importCodesInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      campaignId: 'CAMPAIGN_NOT_FOUND',
      idempotencyKey: 'IDEMPOTENCY_KEY_REQUIRED',
    });
    const { campaignId } = wanted;
    const key = callKeyOf(tenantId, 'code_import', wanted);
    return makeOnce(
      async () => findKeyed(tenantEm(this.its.orm, tenantId), CodeImport, key),
      async () =>
        this.its.transactions.run(tenantId, async (em) => {
          await openCampaign(em, campaignId);
          return this.insert(em, { tenantId, campaignId, ...key });
        }),
    );
  }

  async find(tenantId: string, id: Id): Promise<CodeImport | null> {
    if (!isId(id)) return null;
    return tenantEm(this.its.orm, tenantId).findOne(CodeImport, { id }, { disableIdentityMap: true });
  }

  /** A page of the lines that were refused; one continues behind the number of a line. */
  async refusedLines(
    { tenantId, id, refused }: CodeImport,
    { offset, size, afterId }: PageRange,
  ): Promise<Page<CodeImportRefusal>> {
    const behind = afterId ?? null;
    const rows = await tenantEm(this.its.readOrm, tenantId).find(
      CodeImportRefusal,
      { importId: id, ...(behind !== null && { line: { $gt: Number(behind) } }) },
      {
        orderBy: { line: 'asc' },
        limit: size + 1,
        offset: behind === null ? offset : 0,
        disableIdentityMap: true,
      },
    );
    const items = rows.slice(0, size);
    const next = rows.length > size ? String(items.at(-1)?.line) : null;
    return { total: refused, items, next };
  }

  /**
   * Reads the file of an import from its beginning, and takes what is not done yet.
   *
   * @returns the import, without `finishedAt` where it was not to go on
   * @throws DomainError an {@link ImportRefusal}; pages before it stay done
   */
  async run(
    tenantId: string,
    id: Id,
    source: AsyncIterable<Uint8Array>,
    { mayGoOn = () => true, onPage = () => undefined }: ImportRun = {},
  ): Promise<CodeImport> {
    // Before the import, because another run may finish both meanwhile.
    const batch = isId(id) ? await tenantEm(this.its.orm, tenantId).findOne(CodeBatch, { id }) : null;
    let state = await this.find(tenantId, id);
    if (batch === null || state === null)
      return refuse('IMPORT_NOT_FOUND', 'The tenant has no import with this id.');
    if (state.finishedAt) return state;
    // Its file may be gone with it, which would not be the reason then.
    assertTakesLines(batch);
    let lastLine = 0;
    for await (const page of importPages(source)) {
      ({ lastLine } = page);
      if (!mayGoOn()) return state;
      await this.its.turn(tenantId);
      if (isDone(state, page)) continue;
      state = await this.its.writer.write(state, page);
      onPage(state);
    }
    if (lastLine < state.linesDone) differs();
    return this.its.writer.finish(state);
  }

  /** Changes an import, unless it has gone on since it was read. @returns whether it was changed */
  async change(state: CodeImport, change: ImportChange): Promise<boolean> {
    const { tenantId, id, linesDone, uploadId = null, refusal = null } = state;
    const where = { id, linesDone, uploadId, refusal, finishedAt: null };
    return (await tenantEm(this.its.orm, tenantId).nativeUpdate(CodeImport, where, change)) > 0;
  }

  private async insert(
    em: Em,
    its: Pick<CodeImport, 'tenantId' | 'campaignId' | 'idempotencyKey' | 'argumentsDigest'>,
  ): Promise<CodeImport> {
    const { tenantId, campaignId } = its;
    const createdAt = new Date(this.its.clock.nowMs());
    const common = { tenantId, id: this.its.ids.next(), campaignId, createdAt };
    const batch = newBatch({ ...common, status: 'GENERATING', requested: 0, generated: 0 });
    await em.insert(CodeBatch, batch);
    const counts = { linesDone: 0, imported: 0, refused: 0, linesDigest: null, finishedAt: null };
    const upload = { ...NO_FILE, refusal: null, progressAt: createdAt };
    return insertNew(em, CodeImport, { ...its, ...common, ...counts, ...upload });
  }
}

/** Whether a page was written by an earlier run. @throws DomainError IMPORT_FILE_DIFFERS */
function isDone({ linesDone, linesDigest }: CodeImport, page: ImportPage): boolean {
  if (page.lastLine > linesDone) return page.firstLine <= linesDone && differs();
  return page.lastLine < linesDone || page.linesDigest === linesDigest || differs();
}

function differs(): never {
  refuse(
    'IMPORT_FILE_DIFFERS',
    'This is not the file that the import was begun with: the lines that are done are not the same. Send that file, or begin another import.',
  );
}

function refuse(code: ImportRefusal, message: string): never {
  throw new DomainError(code, message);
}
