import {
  ChangeSetType,
  LockMode,
  type AnyEntity,
  type DeleteOptions,
  type Dictionary,
  type EntityClass,
  type EntityData,
  type EntityMetadata,
  type EntityName,
  type EventSubscriber,
  type FilterQuery,
  type FlushEventArgs,
  type LoggingOptions,
  type NativeInsertUpdateOptions,
  type Primary,
  type QueryResult,
  type RequiredEntityData,
  type UpdateOptions,
  type UpsertOptions,
} from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/mariadb';
import { TENANT_FILTER } from '../database/tenant-filter.js';
import { currentOperation } from './current-operation.js';
import { AS_STORED, ROWS_MAX, type ChangeRecord, type RowValues, type Target } from './change-record.js';

const records = new WeakMap<object, ChangeRecord>();

/** From now on everything that this entity manager writes is noted, until the record is closed. */
export function recordChanges(em: SqlEntityManager, record: ChangeRecord): void {
  records.set(em, record);
}

/**
 * Names what the operation under way is about, where the rows that it writes do not tell; it is recorded then even
 * where it writes none, such as the issue of a token. Of no effect outside of a recorded operation.
 */
export function operationIsAbout(em: SqlEntityManager, target: Target): void {
  records.get(em)?.about(target);
}

/**
 * Has a row recorded, before and after, that raw statements are about to change or to make. The first one is what the
 * operation is about, unless that is named. Of no effect outside of a recorded operation.
 */
export async function operationChanges<Entity extends object>(
  em: SqlEntityManager,
  entity: EntityClass<Entity>,
  key: Partial<Entity>,
): Promise<void> {
  if (em instanceof RecordingEm) await em.willChange(entity, key);
}

/** The table of a writing statement. Statements over many keys join it to a list of them. */
const TABLE = /^\s*(?:insert\s+(?:ignore\s+)?into|replace\s+into|update|delete\s+from)\s+`?(\w+)`?/i;
const JOINED_TABLE = /\bstraight_join\s+`?(\w+)/i;
const IS_WRITE = /^\s*(?:insert|replace|update|delete)\b/i;
const OTHER_TABLE = 'other';

/** Locked until the change: a row that another transaction changes in between would be recorded with a value that is not its last. */
const BEFORE_CHANGE = { ...AS_STORED, lockMode: LockMode.PESSIMISTIC_WRITE } as const;

/** Every entity manager of the product: notes what a recorded transaction changes, whichever way it is written. */
export class RecordingEm extends SqlEntityManager {
  override async insert<Entity extends object>(
    named: EntityName<Entity> | Entity,
    data?: NoInfer<RequiredEntityData<Entity> | Entity>,
    options?: NativeInsertUpdateOptions<Entity>,
  ): Promise<Primary<Entity>> {
    const primary = await super.insert(named, data, options);
    this.inserted(named, [data ?? named]);
    return primary;
  }

  override async insertMany<Entity extends object>(
    named: EntityName<Entity> | Entity[],
    data?: NoInfer<RequiredEntityData<Entity>[] | Entity[]>,
    options?: NativeInsertUpdateOptions<Entity>,
  ): Promise<Primary<Entity>[]> {
    const primaries = await super.insertMany(named, data, options);
    this.inserted(Array.isArray(named) ? named[0] : named, data ?? (named as Entity[]));
    return primaries;
  }

  override async upsert<Entity extends object, Fields extends string = never>(
    named: EntityName<Entity> | Entity,
    data?: EntityData<Entity> | NoInfer<Entity>,
    options?: UpsertOptions<Entity, Fields>,
  ): Promise<Entity> {
    const entity = await super.upsert(named, data, options);
    this.inserted(named, [data ?? entity]);
    return entity;
  }

  override async nativeUpdate<Entity extends object>(
    entity: EntityName<Entity>,
    where: FilterQuery<NoInfer<Entity>>,
    data: EntityData<Entity>,
    options?: UpdateOptions<Entity>,
  ): Promise<number> {
    await this.changing(entity, where, options);
    const changed = await super.nativeUpdate(entity, where, data, options);
    this.openRecord()?.count(this.metaOf(entity).tableName, changed);
    return changed;
  }

  override async nativeDelete<Entity extends object>(
    entity: EntityName<Entity>,
    where: FilterQuery<NoInfer<Entity>>,
    options?: DeleteOptions<Entity>,
  ): Promise<number> {
    await this.changing(entity, where, options);
    const deleted = await super.nativeDelete(entity, where, options);
    this.openRecord()?.count(this.metaOf(entity).tableName, deleted);
    return deleted;
  }

  override async execute<Result extends QueryResult | EntityData<AnyEntity> | EntityData<AnyEntity>[]>(
    query: Parameters<SqlEntityManager['execute']>[0],
    params?: unknown[] | Dictionary,
    method?: unknown,
    context?: LoggingOptions,
  ): Promise<Result> {
    const isRecorded = currentOperation() !== null && typeof query === 'string' && IS_WRITE.test(query);
    const record = isRecorded ? this.recordOf(tableOf(query)) : null;
    if (isRecorded && record !== null) return (await this.counted(record, query, params)) as Result;
    return super.execute<Result>(query, params, method as 'all', context);
  }

  /** A writing statement answers how many rows it wrote, whatever its caller wants to know. */
  private async counted(
    record: ChangeRecord,
    sql: string,
    params: unknown[] | Dictionary | undefined,
  ): Promise<QueryResult> {
    const result = await super.execute<QueryResult>(sql, params, 'run');
    record.count(tableOf(sql), result.affectedRows);
    return result;
  }

  /** See {@link operationChanges}. */
  async willChange<Entity extends object>(entity: EntityClass<Entity>, key: Partial<Entity>): Promise<void> {
    const record = this.openRecord();
    if (record === null) return;
    const row = await this.findOne(entity, key, BEFORE_CHANGE);
    const meta = this.metaOf(entity);
    record.touch(meta, keyOf(meta, key, this.tenantId), row);
  }

  private get tenantId(): string | undefined {
    const params: Dictionary | undefined = this.getFilterParams(TENANT_FILTER);
    return params?.['tenantId'] as string | undefined;
  }

  private openRecord(): ChangeRecord | null {
    const record = records.get(this);
    return record === undefined || record.isClosed ? null : record;
  }

  /** The record that a write belongs to; an operation that has none for it is told. */
  private recordOf(table: string): ChangeRecord | null {
    if (!records.has(this)) currentOperation()?.missed(table);
    return this.openRecord();
  }

  private inserted(named: unknown, rows: readonly object[]): void {
    if (currentOperation() === null) return;
    const meta = this.metaOf(named);
    const record = this.recordOf(meta.tableName);
    if (record === null) return;
    for (const row of rows.slice(0, ROWS_MAX))
      record.touch(meta, keyOf(meta, row as RowValues, this.tenantId), null);
    record.count(meta.tableName, rows.length);
  }

  /** Notes the rows that a statement is about to change. */
  private async changing<Entity extends object>(
    entity: EntityName<Entity>,
    where: FilterQuery<NoInfer<Entity>>,
    options: unknown,
  ): Promise<void> {
    if (currentOperation() === null) return;
    const meta = this.metaOf(entity);
    const record = this.recordOf(meta.tableName);
    if (record === null) return;
    const { filters } = (options ?? {}) as { filters?: Record<string, boolean> };
    const rows = await this.find(entity, where, {
      ...BEFORE_CHANGE,
      ...(filters !== undefined && { filters }),
      limit: ROWS_MAX,
    });
    for (const row of rows as unknown as RowValues[]) record.touch(meta, keyOf(meta, row), row);
  }

  /** @param named an entity, or its class */
  private metaOf(named: unknown): EntityMetadata {
    const entity = typeof named === 'function' ? named : (named as object).constructor;
    return this.getMetadata().get(entity as EntityName<object>);
  }
}

function tableOf(sql: string): string {
  return TABLE.exec(sql)?.[1] ?? JOINED_TABLE.exec(sql)?.[1] ?? OTHER_TABLE;
}

function keyOf(meta: EntityMetadata, row: RowValues, tenantId?: string): RowValues {
  const key = meta.primaryKeys.map((name) => [name, row[name] ?? (name === 'tenantId' ? tenantId : null)]);
  return Object.fromEntries(key) as RowValues;
}

/** Notes what a unit of work is about to write. */
export class FlushRecorder implements EventSubscriber {
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const record = records.get(em);
    if (record === undefined || record.isClosed) return;
    for (const { meta, type, entity } of uow.getChangeSets()) {
      const key = keyOf(meta, entity as RowValues);
      const before = type === ChangeSetType.CREATE ? null : await em.findOne(meta.class, key, BEFORE_CHANGE);
      record.touch(meta, key, before as RowValues | null);
      record.count(meta.tableName, 1);
    }
  }
}
