import type { MikroORM } from '@mikro-orm/core';
import { vi } from 'vitest';

export interface SentStatement {
  readonly query: string;
  readonly params: readonly unknown[];
}

/** The statements that this ORM sends while the work runs. */
export async function statementsOf(orm: MikroORM, work: () => Promise<unknown>): Promise<SentStatement[]> {
  const sent: SentStatement[] = [];
  const spy = vi
    .spyOn(orm.config.getLogger(), 'logQuery')
    .mockImplementation(({ query = '', params = [] }) => void sent.push({ query, params }));
  await work().finally(() => spy.mockRestore());
  return sent;
}
