import type { MikroORM } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import { systemEm } from '../../platform/database/orm.js';
import type { Logger } from '../../platform/observability/log.js';
import { TenantFailures } from '../../platform/failures.js';
import type { TenantService } from '../tenant.service.js';
import { DIRECTORY_IDS_MAX, type DirectoryTenant, type TenantDirectory } from './tenant-directory.js';
import type { TenantUpdateService } from './tenant-updates.service.js';

interface Collaborators {
  readonly orm: MikroORM;
  readonly clock: Clock;
  readonly log: Logger;
  readonly directory: TenantDirectory;
  readonly tenants: Pick<TenantService, 'idPages'>;
  readonly updates: Pick<TenantUpdateService, 'apply'>;
}

interface Confirmed {
  /** Ids of the tenants that the directory knows. */
  readonly known: readonly string[];
  /** How many of them were updated. */
  readonly updated: number;
}

/**
 * Asks the directory for the states of all tenants, and takes over those that are newer: events may have been lost, with
 * the Redis that held them for example.
 */
export class DirectorySync {
  constructor(private readonly its: Collaborators) {}

  /**
   * A tenant that fails holds up no other.
   * @returns how many tenants were updated. @throws DirectoryUnavailableError
   */
  async run(signal?: AbortSignal): Promise<number> {
    const failures = new TenantFailures();
    let updated = 0;
    for await (const page of this.its.tenants.idPages()) {
      for (let at = 0; at < page.length; at += DIRECTORY_IDS_MAX) {
        if (signal?.aborted === true) return updated;
        updated += (await this.take(page.slice(at, at + DIRECTORY_IDS_MAX), failures)).updated;
      }
    }
    failures.throwFirst();
    return updated;
  }

  /** Whether the directory knows a tenant, which is noted as confirmed at this moment. @throws DirectoryUnavailableError */
  async confirm(id: string): Promise<boolean> {
    const failures = new TenantFailures();
    const { known } = await this.take([id], failures);
    failures.throwFirst();
    return known.includes(id);
  }

  private async take(ids: readonly string[], failures: TenantFailures): Promise<Confirmed> {
    const states = await this.its.directory.find(ids);
    const failed = new Set<string>();
    let updated = 0;
    for (const state of await this.newer(states)) {
      const outcome = await this.its.updates.apply(state, null).catch((error: unknown) => {
        failures.note(error);
        failed.add(state.id);
        this.its.log.warn(
          { err: error, tenantId: state.id },
          'a state of the tenant directory was not taken over',
        );
      });
      if (outcome === 'APPLIED') updated += 1;
    }
    const known = states.map(({ id }) => id).filter((id) => !failed.has(id));
    await this.note(known);
    return { known, updated };
  }

  private async newer(states: readonly DirectoryTenant[]): Promise<DirectoryTenant[]> {
    if (states.length === 0) return [];
    const rows = await systemEm(this.its.orm).execute<{ id: string; version: number }[]>(
      'select id, directory_version as version from tenant where id in (?)',
      [states.map(({ id }) => id)],
    );
    const versions = new Map(rows.map(({ id, version }) => [id, version]));
    return states.filter(({ id, version }) => version > (versions.get(id) ?? version));
  }

  /** Raw SQL: with the state of the tenant nothing changes. */
  private async note(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const sql = 'update tenant force index (primary) set directory_checked_at = ? where id in (?)';
    const values = [new Date(this.its.clock.nowMs()), [...ids].toSorted()];
    await outsideOperation(async () => systemEm(this.its.orm).execute(sql, values, 'run'));
  }
}
