import type { IdGenerator } from '../platform/ids.js';
import { insertRows, type RowValues } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import { isDuplicateKey } from '../platform/database/sql-errors.js';
import type { CodeDigester } from './code-digester.js';
import { formatOf } from './code-format.js';
import { CodeGenerator, type GeneratedCode } from './code-generator.js';
import { newCodeRow, type CodeOrigin } from './code-row.js';
import { Code } from './code.entity.js';

/** Codes made in one turn of the event loop, and rows of one statement. */
const SLICE_CODES = 500;
/**
 * After the first one existing codes are looked for, so another collision means that others have stored codes meanwhile.
 * Several batches of one small space come to a few of them; this many only by a fault.
 */
const COLLISIONS_MAX = 50;

/** One of the codes just made exists already; the transaction is lost and runs again with other codes. */
export class CodesCollidedError extends Error {
  override readonly name = 'CodesCollidedError';
}

/** Codes of one batch that one transaction stores. */
export interface CodeChunk extends CodeOrigin {
  readonly count: number;
  /** Looks for existing codes first; worth its reads only after a collision. */
  readonly avoidTaken: boolean;
}

/** Runs a transaction that stores codes, again with other codes where some exist already. */
export async function untilDistinct<T>(work: (avoidTaken: boolean) => Promise<T>): Promise<T> {
  for (let collisions = 0; ; collisions += 1) {
    try {
      return await work(collisions > 0);
    } catch (error) {
      if (!(error instanceof CodesCollidedError) || collisions === COLLISIONS_MAX) throw error;
    }
  }
}

/**
 * Makes and stores codes in the transaction of its caller: all of a chunk stand with that transaction, or none. The
 * memory that it takes goes by the chunk. Raw SQL, because these are bulk inserts (ADR 31).
 */
export class CodeChunkWriter {
  constructor(
    private readonly ids: IdGenerator,
    private readonly digester: CodeDigester,
    /** Resolves when the process has a moment for this tenant's bulk work. */
    private readonly turn: (tenantId: string) => Promise<void>,
  ) {}

  /**
   * @returns the codes as their holders read them, in the order of their ids
   * @throws CodesCollidedError
   */
  async write(em: Em, chunk: CodeChunk): Promise<string[]> {
    const { tenantId, count } = chunk;
    const generator = new CodeGenerator(formatOf(chunk.recipe.rule));
    // The unique key knows equal codes by equal digests only, so those under another pepper are looked for.
    const looksFirst = chunk.avoidTaken || this.digester.keyIds.length > 1;
    const made = new Map<string, string>();
    let insertion: Promise<void> = Promise.resolve();
    while (made.size < count) {
      await this.turn(tenantId);
      const wanted = Math.min(SLICE_CODES, count - made.size);
      let slice = generator.distinct(wanted, (canonical) => made.has(canonical));
      if (looksFirst) {
        await insertion;
        slice = await this.untaken(em, tenantId, slice);
      }
      const rows = slice.map((code) => this.rowOf(code, chunk));
      // The database stores the last slice while this process makes the next one.
      await insertion;
      insertion = insertCodes(em, rows);
      // Its failure is thrown when it is waited for.
      insertion.catch(() => undefined);
      for (const { canonical, text } of slice) made.set(canonical, text);
    }
    await insertion;
    return [...made.values()];
  }

  /** Those that the tenant has not issued yet, under any pepper. */
  private async untaken(em: Em, tenantId: string, codes: GeneratedCode[]): Promise<GeneratedCode[]> {
    const digests = new Map(
      codes.flatMap(({ canonical }) =>
        this.digester.digests(tenantId, canonical).map((digest) => [digest, canonical]),
      ),
    );
    const where = { codeDigest: { $in: [...digests.keys()] } };
    const found = await em.find(Code, where, { fields: ['codeDigest'], disableIdentityMap: true });
    const taken = new Set(found.map(({ codeDigest }) => digests.get(codeDigest)));
    return codes.filter(({ canonical }) => !taken.has(canonical));
  }

  private rowOf({ text, canonical }: GeneratedCode, chunk: CodeChunk): RowValues {
    const digest = this.digester.digest(chunk.tenantId, canonical, chunk.keyId);
    return newCodeRow({ id: this.ids.next(), digest, text }, chunk);
  }
}

async function insertCodes(em: Em, rows: readonly RowValues[]): Promise<void> {
  try {
    await insertRows(em, 'code', rows);
  } catch (error) {
    throw isDuplicateKey(error) ? new CodesCollidedError('A code exists already.', { cause: error }) : error;
  }
}
