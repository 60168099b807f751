import type { Em } from '../database/orm.js';

/** Another process does the work by now. Nothing of the transaction stands. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(lease: string) {
    super(`Another process holds the lease "${lease}" by now.`);
  }
}

/** Selects a row while the lease is held, and locks it until the commit: no other process can take the lease before. */
export const WHILE_HELD = 'from lease where name = ? and owner = ? and fence = ? lock in share mode';

/**
 * The owner and the number under which a process holds a lease. A process that was paused, and has lost it, still has
 * the old number. The owner counts as well: a database that takes over may lack the last numbers, and gives them again.
 */
export class Fence {
  constructor(
    readonly name: string,
    readonly owner: string,
    readonly no: number,
  ) {}

  /** For {@link WHILE_HELD}. */
  get params(): readonly [string, string, number] {
    return [this.name, this.owner, this.no];
  }

  /**
   * First in each transaction that must not be run twice.
   * @throws LeaseLostError
   */
  async check(em: Em): Promise<void> {
    const rows = await em.execute<object[]>(`select fence ${WHILE_HELD}`, [...this.params]);
    if (rows.length === 0) throw new LeaseLostError(this.name);
  }
}
