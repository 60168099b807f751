import { LockMode } from '@mikro-orm/core';
import { User } from '../../identity/users/user.entity.js';
import { isSet } from '../../platform/assert.js';
import { DomainError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { nextVersion } from '../../platform/database/change-row.js';
import type { Em } from '../../platform/database/orm.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import { CodeBatch, isUnderWay } from '../code-batch.entity.js';
import { codesGenerated } from '../code-events.js';
import type { CodeRefresh } from '../code-refresh.js';
import { moveCodeTotals } from '../code-totals.service.js';
import type { GivenCode, GivenCodes } from '../given-code.js';
import { shapesOf } from '../given-format.js';
import type { GuessSafety } from '../guess-safety.service.js';
import { openCampaign } from '../open-campaign.js';
import { activePepper } from '../pepper-registry.js';
import { CodeImport, CodeImportRefusal } from './code-import.entity.js';
import type { ImportRefusal } from './code-import.errors.js';
import type { RefusedLine, WantedCode } from './import-line.js';
import type { ImportPage } from './import-pages.js';

const FRESH = { disableIdentityMap: true } as const;

export interface ImportWriterParts extends Pick<PlatformServices, 'clock' | 'transactions' | 'outbox'> {
  readonly given: GivenCodes;
  readonly tenants: TenantService;
  readonly guesses: GuessSafety;
  readonly refresh: CodeRefresh;
}

/** Writes pages of an import: codes, refused lines, and how far the file is done, in one transaction each. */
export class ImportWriter {
  constructor(private readonly its: ImportWriterParts) {}

  /** @throws DomainError an {@link ImportRefusal}, or CODE_SPACE_TOO_SMALL; then nothing of the page is written */
  async write(state: CodeImport, page: ImportPage): Promise<CodeImport> {
    const write = async (em: Em, readsBack: boolean): Promise<CodeImport> => {
      const stored = readsBack ? await em.findOneOrFail(CodeImport, { id: state.id }, FRESH) : state;
      const stands = stored.linesDone === page.lastLine && stored.linesDigest === page.linesDigest;
      return stands ? stored : this.writePage(em, state, page);
    };
    // The file is one change: the audit log shows where it is begun and where it ends.
    return outsideOperation(async () =>
      // A code that others have added between the look-up and the insert is found there by the next run.
      this.its.transactions.runReadingBack(state.tenantId, write),
    );
  }

  /** The codes can be redeemed when all of the file is there. */
  async finish(state: CodeImport): Promise<CodeImport> {
    const { tenantId, id } = state;
    const finished = await this.its.transactions.runReadingBack(tenantId, async (em, readsBack) => {
      const stored = readsBack ? await em.findOneOrFail(CodeImport, { id }, FRESH) : state;
      if (stored.finishedAt) return stored;
      const batch = await this.lock(em, state);
      const finishedAt = new Date(this.its.clock.nowMs());
      await em.nativeUpdate(CodeImport, { id }, { finishedAt, refusal: null });
      await em.nativeUpdate(CodeBatch, { id }, { status: 'READY', finishedAt, version: nextVersion() });
      this.its.outbox.append(em, tenantId, [codesGenerated(batch)]);
      return { ...state, finishedAt, refusal: null };
    });
    await this.its.refresh.added(tenantId);
    return finished;
  }

  private async writePage(em: Em, state: CodeImport, page: ImportPage): Promise<CodeImport> {
    const { tenantId, id, campaignId } = state;
    const recipe = await openCampaign(em, campaignId);
    await this.lock(em, state);
    const { codes, refused } = await this.judged(em, state, page);
    const batch = { tenantId, campaignId, batchId: id, issuedAt: state.createdAt };
    const origin = { ...batch, recipe, keyId: await activePepper(em) };
    const moves = await this.its.given.insert(em, origin, codes);
    if (refused.length > 0)
      await em.insertMany(
        CodeImportRefusal,
        refused.map(({ line, reason }) => ({ tenantId, importId: id, line, reason })),
      );
    const after = {
      linesDone: page.lastLine,
      linesDigest: page.linesDigest,
      imported: state.imported + codes.length,
      refused: state.refused + refused.length,
      progressAt: new Date(this.its.clock.nowMs()),
    };
    await em.nativeUpdate(CodeImport, { id }, after);
    await em.nativeUpdate(CodeBatch, { id }, { requested: after.imported, generated: after.imported });
    await this.count(em, state, codes);
    await moveCodeTotals(em, moves);
    return { ...state, ...after };
  }

  /** Takes the quota, and counts what could be guessed; last, because it locks the tenant's row. */
  private async count(em: Em, { tenantId, id }: CodeImport, codes: readonly GivenCode[]): Promise<void> {
    if (codes.length === 0) return;
    await this.its.tenants.reserveCodes(em, tenantId, codes.length);
    const canonicals = codes.map(({ canonical }) => canonical);
    for (const { format, count } of shapesOf(canonicals))
      await this.its.guesses.count(em, { tenantId, batchId: id, format, count });
  }

  /** What is left of a page when tenant and users are asked, as codes to be written. */
  private async judged(
    em: Em,
    { tenantId, id }: CodeImport,
    page: ImportPage,
  ): Promise<{ readonly codes: GivenCode[]; readonly refused: readonly RefusedLine[] }> {
    const there = await this.its.given.batchesOf(
      em,
      tenantId,
      page.codes.map(({ canonical }) => canonical),
    );
    const users = await usersOf(em, page.codes);
    const codes: GivenCode[] = [];
    const refused = [...page.refused];
    for (const { line, externalUserId, ...code } of page.codes) {
      const batchId = there.get(code.canonical);
      const assignedUserId = externalUserId === null ? null : users.get(externalUserId);
      if (batchId !== undefined)
        refused.push({ line, reason: batchId === id ? 'CODE_REPEATED' : 'CODE_EXISTS' });
      else if (assignedUserId === undefined) refused.push({ line, reason: 'USER_NOT_FOUND' });
      else codes.push({ ...code, assignedUserId });
    }
    return { codes, refused };
  }

  /** Of two runs of one import the one that is behind stops. */
  private async lock(em: Em, { id, linesDone }: CodeImport): Promise<CodeBatch> {
    const options = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
    const now = await em.findOneOrFail(CodeImport, { id }, options);
    if (now.linesDone !== linesDone || now.finishedAt)
      refuse(
        'IMPORT_RUNS_ELSEWHERE',
        'Another run of this import is ahead. Wait for it, or stop it and run again.',
      );
    const batch = await em.findOneOrFail(CodeBatch, { id }, options);
    assertTakesLines(batch);
    return batch;
  }
}

/** @throws DomainError BATCH_VOIDED, BATCH_CANCELLED */
export function assertTakesLines(batch: CodeBatch): void {
  if (isSet(batch.voidedAt)) refuse('BATCH_VOIDED', 'The batch of this import has been voided.');
  if (!isUnderWay(batch)) refuse('BATCH_CANCELLED', 'The batch of this import has been cancelled.');
}

async function usersOf(em: Em, codes: readonly WantedCode[]): Promise<ReadonlyMap<string, Id>> {
  const externalIds = [...new Set(codes.flatMap(({ externalUserId }) => externalUserId ?? []))];
  if (externalIds.length === 0) return new Map();
  const users = await em.find(User, { externalId: { $in: externalIds } }, { disableIdentityMap: true });
  return new Map(users.map(({ externalId, id }) => [externalId, id]));
}

function refuse(code: ImportRefusal, message: string): never {
  throw new DomainError(code, message);
}
