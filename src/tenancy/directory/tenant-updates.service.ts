import { LockMode } from '@mikro-orm/core';
import type { PlatformServices } from '../../platform/platform-services.js';
import { insertNew, KeyTakenError } from '../../platform/database/insert-new.js';
import { nextVersion } from '../../platform/database/change-row.js';
import { present } from '../../platform/assert.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import type { Em } from '../../platform/database/orm.js';
import { lockActivePlatforms } from '../active-platforms.js';
import type { TenantCopies } from '../tenant-change.service.js';
import { runsInstallation } from '../tenant.service.js';
import { Tenant } from '../tenant.entity.js';
import { TenantEvent } from './tenant-event.entity.js';
import type { DirectoryTenant } from './tenant-directory.js';

/** What has become of a state that the directory told. All but the first change nothing. */
export type TenantUpdateOutcome = 'APPLIED' | 'OUTDATED' | 'DUPLICATE' | 'TENANT_UNKNOWN';

type Collaborators = Pick<PlatformServices, 'orm' | 'clock' | 'transactions' | 'log'>;

/** Takes over states of tenants from the directory: each event once, and never an older state. */
export class TenantUpdateService {
  constructor(
    private readonly its: Collaborators,
    private readonly copies: readonly Partial<TenantCopies>[],
  ) {}

  /** @param eventId of the event that brought it; null for an answer of the directory */
  async apply(state: DirectoryTenant, eventId: string | null): Promise<TenantUpdateOutcome> {
    // Staff whose request happens to bring it to light have not changed it.
    const outcome = await outsideOperation(async () =>
      this.its.transactions.run(state.id, async (em) => this.take(em, state, eventId)),
    ).catch((error: unknown) => {
      if (error instanceof KeyTakenError) return 'DUPLICATE' as const;
      throw error;
    });
    if (outcome !== 'APPLIED') return outcome;
    for (const copies of this.copies) await copies.changed?.(state.id);
    const { id: tenantId, version } = state;
    this.its.log.info({ tenantId, version, eventId }, 'a tenant was updated by its directory');
    return outcome;
  }

  private async take(em: Em, state: DirectoryTenant, eventId: string | null): Promise<TenantUpdateOutcome> {
    const { id, name, version } = state;
    const known = await em.findOne(Tenant, { id }, { disableIdentityMap: true });
    if (known === null) return 'TENANT_UNKNOWN';
    const handledAt = new Date(this.its.clock.nowMs());
    if (eventId !== null) await insertNew(em, TenantEvent, { tenantId: id, eventId, version, handledAt });
    if (known.directoryVersion >= version) return 'OUTDATED';
    // Before the tenant's row, as those who make campaigns lock them.
    for (const copies of this.copies) await copies.described?.(em, id, { ...known, name });
    const { type, status } = await this.decided(em, known, state);
    const moved = await em.nativeUpdate(
      Tenant,
      { id, directoryVersion: { $lt: version } },
      { name, type, status, directoryVersion: version, version: nextVersion() },
    );
    // Once more, for campaigns that were made meanwhile; a later state that came first stands there, too.
    const now = await em.findOne(
      Tenant,
      { id },
      { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    for (const copies of this.copies) await copies.described?.(em, id, present(now, 'The tenant'));
    return moved === 1 ? 'APPLIED' : 'OUTDATED';
  }

  /**
   * Type and status as the directory has them, except where they decide who runs the installation: it makes no tenant
   * PLATFORM, and does not take away the last one that runs it. All that do are locked, so that two at once are not the
   * last for each other.
   */
  private async decided(
    em: Em,
    known: Tenant,
    state: DirectoryTenant,
  ): Promise<Pick<Tenant, 'type' | 'status'>> {
    const isGivenUp = known.type === 'PLATFORM' && !runsInstallation(state);
    const isKept = isGivenUp && (await this.isLast(em, known.id));
    const decided = isKept
      ? known
      : { status: state.status, type: known.type === 'CHANNEL' ? known.type : state.type };
    const { type, status } = decided;
    if (type !== state.type || status !== state.status)
      this.its.log.warn(
        { state, kept: { type, status } },
        'the tenant directory does not decide who runs the installation',
      );
    return decided;
  }

  private async isLast(em: Em, tenantId: string): Promise<boolean> {
    const running = await lockActivePlatforms(em);
    return running.length === 1 && running[0] === tenantId;
  }
}
