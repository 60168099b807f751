import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { within } from '../../platform/scheduling/timeout.js';
import { PartnerOperations, type RegisteredOperation } from './partner-operations.entity.js';

const LENGTH_KEPT_MAX = 67_108_864;

/** The operation a client asks for, by its id or its whole text. */
export interface AskedOperation {
  readonly id?: unknown;
  readonly text?: unknown;
}

/** The operations of one partner, by id and by text. */
export class OperationSet {
  private readonly texts: ReadonlyMap<string, string>;
  private readonly known: ReadonlySet<string>;
  /** Size in memory, in characters. */
  readonly length: number;

  constructor(
    readonly version: number,
    operations: readonly RegisteredOperation[],
  ) {
    this.texts = new Map(operations.map(({ id, text }) => [id, text]));
    this.known = new Set(operations.map(({ text }) => text));
    this.length = operations.reduce((sum, { id, text }) => sum + id.length + text.length, 1);
  }

  /** The registered text, or null. If a client sends id and text, both must match. */
  textOf({ id, text }: AskedOperation): string | null {
    if (id === undefined || id === null)
      return typeof text === 'string' && this.known.has(text) ? text : null;
    const named = typeof id === 'string' ? this.byId(id) : null;
    const isOther = text !== undefined && text !== null && text !== '' && text !== named;
    return isOther ? null : named;
  }

  /** Whether the text is registered, under any id. */
  has(text: string): boolean {
    return this.known.has(text);
  }

  /** Compilers write `sha256:<hex>` where some clients send the digits alone, and the other way round. */
  private byId(id: string): string | null {
    const other = id.startsWith(SHA256) ? id.slice(SHA256.length) : SHA256 + id;
    return this.texts.get(id) ?? this.texts.get(other) ?? null;
  }
}

const SHA256 = 'sha256:';
const NOTHING = new OperationSet(0, []);

/** The registered operations of partners, read again when their version has moved. */
export class OperationSets {
  private readonly kept = new LRUCache<string, OperationSet, { tenantId: string; partnerId: Id }>({
    maxSize: LENGTH_KEPT_MAX,
    sizeCalculation: ({ length }) => length,
    fetchMethod: async (_name, _last, { context }) =>
      within(this.timeoutMs, 'database', this.read(context.tenantId, context.partnerId)),
  });

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
  ) {}

  /**
   * @param version at least this one
   * @throws StoreUnavailableError
   */
  async of(tenantId: string, partnerId: Id, version: number): Promise<OperationSet> {
    if (version === 0) return NOTHING;
    const name = `${tenantId}:${partnerId}`;
    const known = this.kept.get(name);
    if (known !== undefined && known.version >= version) return known;
    const options = { context: { tenantId, partnerId }, forceRefresh: known !== undefined };
    return (await this.kept.fetch(name, options)) ?? NOTHING;
  }

  private async read(tenantId: string, partnerId: Id): Promise<OperationSet> {
    const fields = { fields: ['operations', 'version'], disableIdentityMap: true } as const;
    const row = await tenantEm(this.orm, tenantId).findOne(PartnerOperations, { partnerId }, fields);
    return row === null ? NOTHING : new OperationSet(row.version, row.operations);
  }
}
