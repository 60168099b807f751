import { createHash } from 'node:crypto';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { Id } from '../../platform/ids.js';
import { isId } from '../../platform/ids.js';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { insertNew, KeyTakenError } from '../../platform/database/insert-new.js';
import { systemEm, type Em } from '../../platform/database/orm.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { isStoreAway } from '../../platform/failures.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import { faultOf, type TenantEventHandler } from './tenant-event-handler.js';
import { TenantEventLetter } from './tenant-event.entity.js';
import type { DeliveredEvent } from './tenant-event-source.js';

/** What a letter holds of an event at most; an event has some hundred characters. */
const TEXT_MAX = 1_000_000;
const REDRIVEN_MAX = 500;

type Collaborators = Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions'>;

/** Events of the directory that were given up, for the staff who look after the installation. */
export class TenantEventLetterService {
  constructor(
    private readonly its: Collaborators,
    private readonly handler: TenantEventHandler,
  ) {}

  /** Keeps an event that could not be applied; the same delivery twice is one letter. */
  async add({ place, text, deliveries }: DeliveredEvent, failure: unknown): Promise<void> {
    const row = {
      ...faultOf(failure),
      id: this.its.ids.next(),
      digest: createHash('sha256').update(`${place}\0${text}`).digest('base64url'),
      event: text.slice(0, TEXT_MAX),
      attempts: deliveries,
      since: new Date(this.its.clock.nowMs()),
    };
    try {
      await this.its.transactions.run(null, async (em) => insertNew(em, TenantEventLetter, row));
    } catch (error) {
      if (!(error instanceof KeyTakenError)) throw error;
    }
  }

  /** The latest first. */
  async page(page: PageRange): Promise<Page<TenantEventLetter>> {
    return findPage(systemEm(this.its.readOrm), TenantEventLetter, {}, page, ACROSS_TENANTS);
  }

  async count(): Promise<number> {
    return systemEm(this.its.readOrm).count(TenantEventLetter, {}, ACROSS_TENANTS);
  }

  /**
   * Has one letter, or the oldest 500, handled again; what fails again stays a letter.
   * @returns how many are letters no more; null where there is none with this id
   */
  async redrive(id: Id | null): Promise<number | null> {
    const em = systemEm(this.its.orm);
    const where = id === null ? {} : { id: isId(id) ? id : '0' };
    const options = {
      orderBy: { id: 'asc' },
      limit: REDRIVEN_MAX,
      disableIdentityMap: true,
      ...ACROSS_TENANTS,
    } as const;
    const letters = await em.find(TenantEventLetter, where, options);
    if (id !== null && letters.length === 0) return null;
    let redriven = 0;
    for (const letter of letters) if (await this.redriveOne(letter)) redriven += 1;
    return redriven;
  }

  /** The event first: a process that dies in between leaves a letter whose event is known by its id. */
  private async redriveOne({ id, event }: TenantEventLetter): Promise<boolean> {
    try {
      await this.handler.handle(event);
    } catch (error) {
      if (isStoreAway(error)) throw error;
      const { fault, message } = faultOf(error);
      await this.change(async (em) => {
        const letter = await em.findOne(TenantEventLetter, { id }, ACROSS_TENANTS);
        const since = new Date(this.its.clock.nowMs());
        if (letter !== null) em.assign(letter, { fault, message, since, attempts: letter.attempts + 1 });
      });
      return false;
    }
    await this.change(async (em) => em.nativeDelete(TenantEventLetter, { id }, ACROSS_TENANTS));
    return true;
  }

  /** Not recorded row by row: that staff had letters tried again is. */
  private async change(work: (em: Em) => Promise<unknown>): Promise<void> {
    await outsideOperation(async () => this.its.transactions.run(null, work));
  }
}
