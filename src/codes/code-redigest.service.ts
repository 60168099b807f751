import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import type { Id } from '../platform/ids.js';
import { systemEm, tenantEm, type Em } from '../platform/database/orm.js';
import { CommitUnknownError, isDuplicateKey } from '../platform/database/sql-errors.js';
import type { Transactions } from '../platform/database/transaction.js';
import { writeRows } from '../platform/database/write-rows.js';
import type { SecretResealing } from '../platform/sealed-secrets.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { canonicalize } from './canonical-code.js';
import type { CodeCopyService } from './code-copy.service.js';
import type { CodeDigester } from './code-digester.js';
import { activePepper, type PepperRegistry } from './pepper-registry.js';

/** Codes that one transaction moves; they cannot be redeemed until it ends, so it is short. */
const CHUNK = 100;
/** Claims are settled within seconds, but for those that wait for their job. */
const PASSES_MAX = 20;
const PASS_PAUSE_MS = 1000;

export interface FencedCode {
  readonly digest: string;
  /** That it is about to have. */
  readonly version: number;
}

/** Keeps codes from being claimed under their digests for a moment. */
export interface CodeFence {
  /** @returns for each code whether it is fenced; one with an open claim is not */
  raise(tenantId: string, codes: readonly FencedCode[], owner: string): Promise<boolean[]>;
  /** The change was undone: those that this owner has fenced can be claimed again. */
  lower(tenantId: string, codes: readonly FencedCode[], owner: string): Promise<void>;
}

/** What became of some codes. */
interface Moved {
  readonly moved: number;
  /** With open claims: to be tried again. */
  readonly held: number;
  /** Their digest is not that of their text, or another code has the same text: for a person to look at. */
  readonly odd: readonly Id[];
}

export interface RedigestReport extends Moved {
  /** Processes at work that cannot read the current pepper; then nothing was moved. */
  readonly waitsFor: number;
  /** How many peppers beside the active one are still needed. */
  readonly needed: number;
}

interface StoredCode {
  readonly id: Id;
  readonly text: string;
  readonly digest: string;
  readonly keyId: number;
  readonly version: number;
}

interface Move extends StoredCode {
  readonly next: string;
}

export interface RedigestParts {
  readonly orm: MikroORM;
  readonly tenants: Pick<TenantService, 'idPages'>;
  readonly transactions: Transactions;
  readonly digester: CodeDigester;
  readonly peppers: PepperRegistry;
  readonly copies: CodeCopyService;
  readonly fence: CodeFence;
  /** Each moves what else a feature has sealed by peppers. */
  readonly secretResealings: readonly SecretResealing[];
}

/**
 * Gives codes whose text is kept the digest of the active pepper. Works in small chunks beside redemptions, and can be
 * stopped and started again at any time: what is done stays done.
 */
export class CodeRedigest {
  constructor(private readonly its: RedigestParts) {}

  /** How many codes of each tenant can be moved and are not. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    const em = systemEm(this.its.orm);
    const rows: { tenantId: string; count: number }[] = await em.execute(
      `select tenant_id as tenantId, count(*) as count from code
        where digest_key_id <> ? and code_text is not null group by tenant_id`,
      [await activePepper(em)],
    );
    return new Map(rows.map(({ tenantId, count }) => [tenantId, count]));
  }

  /** @param onMoved told of each chunk */
  async run(onMoved: (count: number) => void): Promise<RedigestReport> {
    const activation = await this.its.peppers.activate(this.its.digester.current);
    if (activation !== 'ACTIVE')
      return { waitsFor: activation.waitsFor, needed: 1, moved: 0, held: 0, odd: [] };
    for (const reseal of this.its.secretResealings) await reseal();
    const keyId = await activePepper(systemEm(this.its.orm));
    let moved = 0;
    for (let pass = 1; ; pass += 1) {
      const done = await this.pass(keyId, onMoved);
      moved += done.moved;
      if (done.held === 0 || pass >= PASSES_MAX)
        return { ...done, moved, waitsFor: 0, needed: await this.its.peppers.retire() };
      await pause(PASS_PAUSE_MS);
    }
  }

  /** All tenants once, each in the order of the primary key. */
  private async pass(keyId: number, onMoved: (count: number) => void): Promise<Moved> {
    let total: Moved = { moved: 0, held: 0, odd: [] };
    for await (const tenantIds of this.its.tenants.idPages()) {
      for (const tenantId of tenantIds) {
        for await (const ids of this.idPages(tenantId, keyId)) {
          const done = await this.moveSome(tenantId, ids, keyId);
          total = sum(total, done);
          onMoved(done.moved);
        }
      }
    }
    return total;
  }

  /** Codes of a tenant that are stored under other peppers. */
  private async *idPages(tenantId: string, keyId: number): AsyncGenerator<readonly Id[]> {
    for (let last = '0'; ;) {
      const ids = await this.nextIds(tenantId, keyId, last);
      if (ids.length === 0) return;
      yield ids;
      last = ids.at(-1) ?? last;
    }
  }

  private async nextIds(tenantId: string, keyId: number, last: Id): Promise<Id[]> {
    const rows: { id: Id }[] = await tenantEm(this.its.orm, tenantId).execute(
      `select cast(id as char) as id from code force index (primary)
        where tenant_id = ? and id > ? and digest_key_id <> ? and code_text is not null order by code.id limit ${CHUNK}`,
      [tenantId, last, keyId],
    );
    return rows.map(({ id }) => id);
  }

  /** A chunk in which a code clashes with another one is moved code by code. */
  private async moveSome(tenantId: string, ids: readonly Id[], keyId: number): Promise<Moved> {
    try {
      return await this.move(tenantId, ids, keyId);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      if (ids.length === 1) return { moved: 0, held: 0, odd: ids };
    }
    let total: Moved = { moved: 0, held: 0, odd: [] };
    for (const id of ids) total = sum(total, await this.moveSome(tenantId, [id], keyId));
    return total;
  }

  private async move(tenantId: string, ids: readonly Id[], keyId: number): Promise<Moved> {
    const { transactions, fence, copies } = this.its;
    const owner = randomUUID();
    let wanted: FencedCode[] = [];
    const work = async (em: Em) => {
      const codes = await lockCodes(em, tenantId, ids);
      const moves = codes.flatMap((code) => this.moveOf(tenantId, code, keyId));
      wanted = moves.map(afterwards);
      const fenced = await fence.raise(tenantId, wanted, owner);
      const idle = moves.filter((_move, at) => fenced[at]);
      await writeDigests(em, tenantId, idle, keyId);
      const known = new Set(moves.map(({ id }) => id));
      const strange = codes.map(({ id }) => id).filter((id) => !known.has(id));
      return { free: idle, held: moves.length - idle.length, odd: strange };
    };
    const { free, held, odd } = await transactions.run(tenantId, work).catch(async (error: unknown) => {
      // A rolled-back chunk must not block its codes. Where it may be committed, the fences expire.
      if (!(error instanceof CommitUnknownError))
        await fence.lower(tenantId, wanted, owner).catch(() => undefined);
      throw error;
    });
    // A load that began before may come late, and must not bring the old digest back.
    await Promise.all(
      free.map(afterwards).map(async ({ digest, version }) => copies.evict(tenantId, digest, version)),
    );
    return { moved: free.length, held, odd };
  }

  /** The code with its new digest; none where its stored one is not that of its text. */
  private moveOf(tenantId: string, code: StoredCode, keyId: number): Move[] {
    const canonical = canonicalize(code.text);
    const isKnown = this.its.digester.keyIds.includes(code.keyId);
    if (canonical === null || !isKnown) return [];
    if (this.its.digester.digest(tenantId, canonical, code.keyId) !== code.digest) return [];
    return [{ ...code, next: this.its.digester.digest(tenantId, canonical, keyId) }];
  }
}

function afterwards({ digest, version }: StoredCode): FencedCode {
  return { digest, version: version + 1 };
}

function sum(a: Moved, b: Moved): Moved {
  return { moved: a.moved + b.moved, held: a.held + b.held, odd: [...a.odd, ...b.odd] };
}

/** In the order of the primary key, as every transaction takes them. */
async function lockCodes(em: Em, tenantId: string, ids: readonly Id[]): Promise<StoredCode[]> {
  return em.execute(
    `select cast(id as char) as id, code_text as text, code_digest as digest, digest_key_id as keyId, version
       from code force index (primary) where tenant_id = ? and id in (?) order by code.id for update`,
    [tenantId, ids],
  );
}

async function writeDigests(em: Em, tenantId: string, moves: readonly Move[], keyId: number): Promise<void> {
  await writeRows(em, {
    table: 'code',
    prefix: { tenant_id: tenantId },
    column: 'id',
    rows: moves.map(({ id, next }) => [id, { code_digest: next }]),
    common: ['digest_key_id = ?, version = version + 1', keyId],
  });
}
