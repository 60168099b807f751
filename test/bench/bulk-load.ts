import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import type { BenchWorld } from './world.js';

const TABLE = 'code_bulk';
/** All that a new row says; the others are defaults, or made of these. */
const COLUMNS = `tenant_id, id, code_digest, digest_key_id, code_text, last_four, campaign_id, batch_id, status, use_limit,
  expires_at, issued_at`;
const PAGE = 5000;
const ROWS_AT_ONCE = 500;

type Row = readonly (string | null)[];

export interface BulkLoadTimes {
  /** LOAD DATA LOCAL, in one statement. */
  readonly loadDataMs: number;
  /** Multi-row inserts of 500 rows, in transactions of 5,000. */
  readonly multiRowMs: number;
}

/** Loads the rows of a batch into an empty table with the same columns, indexes and partitions, in two ways. */
export async function measureBulkLoad(world: BenchWorld, batchId: string): Promise<BulkLoadTimes> {
  const file = path.join(world.dataDir, 'rows.tsv');
  const connection = await createConnection({
    uri: world.databaseUrl.replace(/^mariadb:/, 'mysql:'),
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    infileStreamFactory: () => createReadStream(file),
  });
  try {
    const pages = await writeRows(connection, batchId, file);
    const loadDataMs = await timed(connection, async () =>
      connection.query(`load data local infile 'rows' into table ${TABLE} (${COLUMNS})`),
    );
    const multiRowMs = await timed(connection, async () => insertPages(connection, pages));
    return { loadDataMs, multiRowMs };
  } finally {
    await connection.end();
    await rm(file, { force: true });
  }
}

async function timed(connection: Connection, work: () => Promise<unknown>): Promise<number> {
  await connection.query(`create table ${TABLE} like code`);
  try {
    const fromMs = performance.now();
    await work();
    return performance.now() - fromMs;
  } finally {
    await connection.query(`drop table ${TABLE}`);
  }
}

/** Rows in the order of their ids, to a file and, page by page, as the values of statements. */
async function writeRows(connection: Connection, batchId: string, file: string): Promise<readonly Row[][]> {
  const pages: Row[][] = [];
  const handle = await open(file, 'w');
  for (let after = '0'; ;) {
    const [rows] = await connection.query(
      {
        sql: `select ${COLUMNS} from code where batch_id = ? and id > ? order by id limit ${PAGE}`,
        rowsAsArray: true,
      },
      [batchId, after],
    );
    const page = (rows as (string | number | null)[][]).map((row) =>
      row.map((value) => (value === null ? null : String(value))),
    );
    await handle.appendFile(
      page.map((row) => `${row.map((value) => value ?? String.raw`\N`).join('\t')}\n`).join(''),
    );
    pages.push(page);
    if (page.length < PAGE) break;
    after = page.at(-1)?.[1] ?? after;
  }
  await handle.close();
  return pages;
}

async function insertPages(connection: Connection, pages: readonly Row[][]): Promise<void> {
  for (const page of pages) {
    await connection.beginTransaction();
    for (let at = 0; at < page.length; at += ROWS_AT_ONCE)
      await connection.query(`insert into ${TABLE} (${COLUMNS}) values ?`, [
        page.slice(at, at + ROWS_AT_ONCE),
      ]);
    await connection.commit();
  }
}
