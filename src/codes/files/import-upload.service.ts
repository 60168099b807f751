import { LockMode, type QueryResult } from '@mikro-orm/core';
import { isSet, present } from '../../platform/assert.js';
import { DomainError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { tenantEm } from '../../platform/database/orm.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { CodeDigester } from '../code-digester.js';
import { seal, unseal } from '../../platform/sealed-bytes.js';
import { CodeImport, CodeImportPart } from './code-import.entity.js';
import type { ImportRefusal } from './code-import.errors.js';
import type { CodeImportService } from './code-import.service.js';
import { dropParts, type Upload } from './import-parts.js';

const PART_BYTES = 262_144;

/** A process with another pepper may read the file. */
export class SealedFileError extends Error {
  override readonly name = 'SealedFileError';
}

interface UploadParts extends Pick<PlatformServices, 'orm' | 'ids' | 'clock' | 'transactions'> {
  readonly imports: CodeImportService;
  readonly digester: CodeDigester;
  readonly bytesMax: number;
}

/**
 * Files of imports between their upload and the job that reads them, in the database, so that any worker can continue
 * after another one. They are encrypted, because a HASHED campaign stores no codes: the key is made of the pepper,
 * which the database does not have.
 */
export class ImportUploadService {
  constructor(private readonly its: UploadParts) {}

  /**
   * Stores the file of an import. Of several uploads the first that is complete counts; one that broke off counts for
   * nothing, and is sent again.
   * @throws DomainError an {@link ImportRefusal}
   */
  async store(tenantId: string, importId: Id, source: AsyncIterable<Uint8Array>): Promise<CodeImport> {
    const state = await this.its.imports.find(tenantId, importId);
    if (state === null) return refuse('IMPORT_NOT_FOUND', 'The tenant has no import with this id.');
    if (state.uploadId || state.finishedAt) refuse('IMPORT_HAS_FILE', HAS_FILE);
    const upload = { tenantId, importId, uploadId: this.its.ids.next() };
    try {
      // Parts of a file that may never be complete are no change of the import.
      const parts = await outsideOperation(async () => this.storeParts(upload, source));
      await this.becomeFile(upload, parts);
    } catch (error) {
      await outsideOperation(async () => this.drop(upload)).catch(() => undefined);
      throw error;
    }
    return present(await this.its.imports.find(tenantId, importId), 'The import of an upload');
  }

  /** The file of an import, from its beginning. @throws DomainError IMPORT_FILE_MISSING where a part is not there */
  async *read({ tenantId, id: importId, uploadId, parts }: CodeImport): AsyncGenerator<Uint8Array> {
    if (!uploadId) return;
    for (let partNo = 0; partNo < (parts ?? Infinity); partNo += 1) {
      const where = { importId, uploadId, partNo };
      const part = await tenantEm(this.its.orm, tenantId).findOne(CodeImportPart, where, {
        disableIdentityMap: true,
      });
      if (part === null && !isSet(parts)) return;
      if (part === null) return refuse('IMPORT_FILE_MISSING', FILE_MISSING);
      yield this.opened({ tenantId, importId, uploadId }, Buffer.from(part.body));
    }
  }

  /** In a transaction that holds the import's row until its COMMIT, for {@link drop}. @throws DomainError IMPORT_HAS_FILE */
  private async becomeFile({ tenantId, importId, uploadId }: Upload, parts: number): Promise<void> {
    const file = { uploadId, parts, refusal: null };
    const isFirst = await this.its.transactions.run(tenantId, async (em) =>
      em.nativeUpdate(CodeImport, { id: importId, uploadId: null }, file),
    );
    if (isFirst === 0) refuse('IMPORT_HAS_FILE', HAS_FILE);
  }

  /** @returns how many they are */
  private async storeParts(upload: Upload, source: AsyncIterable<Uint8Array>): Promise<number> {
    const progressAt = new Date(this.its.clock.nowMs());
    const id = upload.importId;
    await tenantEm(this.its.orm, upload.tenantId).nativeUpdate(CodeImport, { id }, { progressAt });
    let partNo = 0;
    let bytes = 0;
    for await (const part of partsOf(source)) {
      bytes += part.length;
      if (bytes > this.its.bytesMax) {
        const most = Math.floor(this.its.bytesMax / 1_048_576);
        refuse('IMPORT_FILE_TOO_LARGE', `The file has more than ${most} MiB. Split it into several imports.`);
      }
      const { tenantId, importId, uploadId } = upload;
      const key = this.its.digester.digest(tenantId, secretOf(upload));
      await tenantEm(this.its.orm, tenantId).execute<QueryResult>(
        'insert into code_import_part (tenant_id, import_id, upload_id, part_no, body) values (?, ?, ?, ?, ?)',
        [tenantId, importId, uploadId, partNo, seal(part, key)],
        'run',
      );
      partNo += 1;
    }
    return partNo;
  }

  /** Under any pepper: it may have been rotated since. */
  private opened(upload: Upload, sealed: Buffer): Buffer {
    for (const digest of this.its.digester.digests(upload.tenantId, secretOf(upload))) {
      const plain = unseal(sealed, digest);
      if (plain !== null) return plain;
    }
    throw new SealedFileError('No configured pepper decrypts the file of an import.');
  }

  /** Deletes the file of an import, which has no use for it any more. */
  async dropFile({ tenantId, id: importId, uploadId }: CodeImport): Promise<void> {
    if (uploadId) await dropParts(tenantEm(this.its.orm, tenantId), { tenantId, importId, uploadId });
  }

  /**
   * Deletes the parts of an upload, unless they are the file. A COMMIT that makes them the file, and whose reply was
   * lost, may be under way: it holds the import's row, so the locking read waits for its end.
   */
  private async drop(upload: Upload): Promise<void> {
    const { tenantId, importId: id, uploadId } = upload;
    const lock = { lockMode: LockMode.PESSIMISTIC_READ, disableIdentityMap: true } as const;
    const isFile = await this.its.transactions.run(tenantId, async (em) => {
      const state = await em.findOne(CodeImport, { id }, lock);
      return state?.uploadId === uploadId;
    });
    if (!isFile) await dropParts(tenantEm(this.its.orm, tenantId), upload);
  }
}

const FILE_MISSING = 'The stored file is not complete any more. Send it again: what is done stays done.';
const HAS_FILE =
  'The file of this import is there already. Begin another import, under another key, for another file.';

async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < PART_BYTES) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/** No code has the same digest: a code holds no zero. */
function secretOf({ importId, uploadId }: Upload): string {
  return `file of an import\0${importId}\0${uploadId}`;
}

function refuse(code: ImportRefusal, message: string): never {
  throw new DomainError(code, message);
}
