import type { Em } from './orm.js';

/** Milliseconds since 1970 by the database's clock, the only one that all processes share. */
export async function databaseNowMs(em: Em): Promise<number> {
  const [row] = await em.execute<[{ now_ms: string }]>(
    'select cast(floor(unix_timestamp(now(3)) * 1000) as char) as now_ms',
  );
  return Number(row.now_ms);
}
