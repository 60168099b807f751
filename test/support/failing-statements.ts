import { vi } from 'vitest';
import { CommitUnknownError } from '../../src/platform/database/sql-errors.js';
import { statementsOf } from './statements.js';
import type { World } from './world.js';

const connectionOf = ({ stores }: World) => stores.orm.em.getConnection();

/** How many statements the work sends, from the first read to the last event, without BEGIN and COMMIT. */
export async function statementCount(world: World, work: () => Promise<unknown>): Promise<number> {
  const sent = await statementsOf(world.stores.orm, work);
  return sent.filter(({ query }) => !/^\s*(?:begin|commit)/i.test(query)).length;
}

/** The statement at this place is not sent, and fails; the ones before it were done. Until mocks are restored. */
export function failAt(world: World, place: number, error = new Error('It was made to fail.')): void {
  const connection = connectionOf(world);
  const execute = connection.execute.bind(connection);
  let sent = 0;
  vi.spyOn(connection, 'execute').mockImplementation(async (...args): Promise<unknown> => {
    sent += 1;
    if (sent === place) throw error;
    return execute(...args);
  });
}

/** The next COMMIT has no verdict: it was applied and its reply was lost, or it was lost itself. */
export function loseNextCommit(world: World, { isApplied }: { readonly isApplied: boolean }): void {
  const connection = connectionOf(world);
  const commit = connection.commit.bind(connection);
  vi.spyOn(connection, 'commit').mockImplementationOnce(async (...args) => {
    if (isApplied) await commit(...args);
    throw new CommitUnknownError(new Error('The connection was cut.'));
  });
}
