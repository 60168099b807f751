import {
  MikroORM,
  type EntityName,
  type MetadataStorage,
  type MigrationObject,
  type Options,
} from '@mikro-orm/core';
import { MariaDbDriver, type SqlEntityManager } from '@mikro-orm/mariadb';
import { Migrator } from '@mikro-orm/migrations';
import { MySqlDriver } from '@mikro-orm/mysql';
import { DatabaseProbe } from './database-probe.js';
import { FlushRecorder, RecordingEm } from '../recording/recording-em.js';
import { boundPool, type DriverPool, type PoolBounds } from './pool-bounds.js';
import { SessionGuard, type Session } from './session-guard.js';
import { format, type SqlValue } from 'mysql2';
import { TENANT_FILTER, tenantFilter } from './tenant-filter.js';

/** An entity manager. Short-lived: one per unit of work, never shared between requests. */
export type Em = SqlEntityManager;

export interface OrmSettings {
  readonly databaseUrl: string;
  readonly poolSize: number;
  /** Lets one message to the server hold several statements; see `execute-together.ts`. */
  readonly severalStatements?: boolean;
  /** How long one SELECT may take; for the whole server's good it ends there by itself. */
  readonly statementMsMax?: number;
  readonly entities: readonly EntityName[];
  readonly migrations?: readonly MigrationObject[];
  /** Without them everybody waits for the server as long as it takes. */
  readonly bounds?: PoolBounds;
}

/** A connection that is dead without a word is missed after about this and ten further seconds, where nothing is under way. */
const KEEP_ALIVE_MS = 5000;
/** How long an attempt to connect that hangs takes a place of the pool. */
const CONNECT_TIMEOUT_MS = 3000;

/** How long a transaction may be silent. A process that is paused in one holds its rows no longer than this. */
const TRANSACTION_SILENCE_MAX_S = 10;
const IDLE_MAX_MS = (TRANSACTION_SILENCE_MAX_S * 1000) / 2;

/** The options of both drivers; the driver goes by the scheme of the URL, because the server's dialects differ. */
export function ormOptions(settings: OrmSettings): Partial<Options> {
  const isMysql = settings.databaseUrl.startsWith('mysql://');
  return {
    driver: isMysql ? MySqlDriver : MariaDbDriver,
    clientUrl: settings.databaseUrl.replace(/^mariadb:/, 'mysql:'),
    entities: [...settings.entities],
    extensions: [Migrator],
    entityManager: RecordingEm,
    subscribers: [new FlushRecorder()],
    pool: { min: 2, max: settings.poolSize },
    // Of several rows the ORM would ask for `(tenant_id, id) in (('T', '1'), …)`. The servers compare the text inside as
    // doubles: no index serves that, so every row of the table is locked, and rows with ids close by are met as well.
    useBatchUpdates: false,
    multipleStatements: settings.severalStatements === true,
    forceUtcTimezone: true,
    driverOptions: {
      queryFormat: formatOnce,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // The server ends idle sessions there; this side is to be the first. The driver looks for them only where fewer
      // may be idle than there may be, and it ends what is above that number at once.
      ...(isMysql ? { maxIdle: settings.poolSize - 1, idleTimeout: IDLE_MAX_MS } : {}),
    },
    charset: 'utf8mb4',
    collate: 'utf8mb4_bin',
    filters: { [TENANT_FILTER]: tenantFilter },
    // A query that finds nothing answers null; whether that is a fault is for the caller to say.
    findOneOrFailHandler: (entityName) => new Error(`${entityName} not found.`),
    migrations: {
      migrationsList: [...(settings.migrations ?? [])],
      tableName: 'schema_migration',
      // DDL commits by itself in MySQL, so a transaction around it would only pretend.
      transactional: false,
      snapshot: false,
      // Who migrates says so, in its own words.
      silent: true,
    },
    // By default it writes to standard output, which belongs to the answers of commands.
    logger: (line) => void process.stderr.write(`${line}\n`),
    discovery: { warnWhenNoEntities: false },
    schemaGenerator: { createForeignKeyConstraints: false },
    onCreateConnection: async (connection) => prepareSession(connection as Session, settings, isMysql),
  };
}

/**
 * Sessions judge by committed rows only, and give up a row lock early: who waits in vain runs its whole
 * transaction again (`transaction.ts`) rather than hold up a lane.
 */
async function prepareSession(
  session: Session,
  { severalStatements, statementMsMax }: OrmSettings,
  isMysql: boolean,
): Promise<void> {
  SessionGuard.install(session, severalStatements === true);
  const settings = [
    'transaction isolation level read committed',
    'innodb_lock_wait_timeout = 2',
    // MySQL knows no difference between a session that is silent in a transaction and one that is idle.
    `${isMysql ? 'wait_timeout' : 'idle_transaction_timeout'} = ${TRANSACTION_SILENCE_MAX_S}`,
  ];
  if (statementMsMax !== undefined) {
    settings.push(
      isMysql ? `max_execution_time = ${statementMsMax}` : `max_statement_time = ${statementMsMax / 1000}`,
    );
  }
  for (const setting of settings) {
    await session.executeQuery({ sql: `set session ${setting}`, parameters: [] });
  }
}

export async function connectOrm(settings: OrmSettings): Promise<MikroORM> {
  const orm = await openOrm(settings.entities, ormOptions(settings));
  if (settings.bounds !== undefined) {
    const connection = orm.em.getConnection() as unknown as { getNativeClient(): Promise<DriverPool> };
    const probe = new DatabaseProbe(settings.databaseUrl, settings.bounds.askAfterMs);
    boundPool(await connection.getNativeClient(), settings.bounds, probe);
  }
  return orm;
}

/** What the first ORM on a list of entities has discovered about them. */
const discoveries = new WeakMap<readonly EntityName[], { driver: unknown; metadata: MetadataStorage }>();

/** Discovery takes 30 ms, and a process opens three ORMs on the same entities: the others take over what the first found. */
async function openOrm(entities: readonly EntityName[], options: Partial<Options>): Promise<MikroORM> {
  const known = discoveries.get(entities);
  if (known === undefined || known.driver !== options.driver) {
    const orm = await MikroORM.init(options);
    discoveries.set(entities, { driver: options.driver, metadata: orm.getMetadata() });
    return orm;
  }
  const orm = new MikroORM({ ...options, entities: [] });
  // It holds services that know no entities.
  orm.config.resetServiceCache();
  orm.driver.setMetadata(known.metadata);
  orm.em = Object.assign(orm.driver.createEntityManager() as typeof orm.em, { global: true });
  return orm;
}

/** A fresh entity manager that sees the rows of one tenant and no other's. */
export function tenantEm(orm: MikroORM, tenantId: string): Em {
  const em = orm.em.fork() as Em;
  em.setFilterParams(TENANT_FILTER, { tenantId });
  return em;
}

/** As {@link tenantEm}, in the transaction that another entity manager has begun. */
export function tenantPart(whole: Em, tenantId: string): Em {
  const part = whole.fork({ keepTransactionContext: true });
  part.setFilterParams(TENANT_FILTER, { tenantId });
  return part;
}

/** A fresh entity manager without a tenant: every query has to say that it works across tenants, or throws. */
export function systemEm(orm: MikroORM): Em {
  return orm.em.fork() as Em;
}

/**
 * The ORM sends finished text, and the driver would search all of it for placeholders once more. On bulk inserts
 * that search costs as much as making the text.
 */
function formatOnce(sql: string, values?: SqlValue[]): string {
  return values === undefined || values.length === 0 ? sql : format(sql, values, false, 'Z');
}
