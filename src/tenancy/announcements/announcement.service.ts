import type { FilterQuery } from '@mikro-orm/core';
import { z } from 'zod';
import { changeRow, expectedVersion, givenFields } from '../../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { insertNew } from '../../platform/database/insert-new.js';
import { tenantEm } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { instant, nameText, orElse, parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { canonicalText, faultOfText, lengthOf } from '../../platform/text.js';
import { Announcement } from './announcement.entity.js';

export const CREATE_ANNOUNCEMENT_REFUSALS = [
  'TITLE_NOT_ALLOWED',
  'DESCRIPTION_NOT_ALLOWED',
  'WINDOW_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
] as const;
export const UPDATE_ANNOUNCEMENT_REFUSALS = [
  'TITLE_NOT_ALLOWED',
  'DESCRIPTION_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'ANNOUNCEMENT_NOT_FOUND',
  'VERSION_CONFLICT',
  'WINDOW_NOT_ALLOWED',
] as const;
export const DELETE_ANNOUNCEMENT_REFUSALS = ['ANNOUNCEMENT_NOT_FOUND'] as const;
type AnnouncementRefusal = (
  | typeof CREATE_ANNOUNCEMENT_REFUSALS
  | typeof UPDATE_ANNOUNCEMENT_REFUSALS
)[number];

const DESCRIPTION_LENGTH_MAX = 4000;

/** Text of several lines, each of which a reader can see. */
const description = z.string().transform((text, context) => {
  const plain = canonicalText(text.replaceAll('\r\n', '\n')).trim();
  const lines = plain.split(/[\n\t]/).filter((line) => line.trim() !== '');
  const fault =
    lengthOf(plain) > DESCRIPTION_LENGTH_MAX
      ? `must have at most ${DESCRIPTION_LENGTH_MAX} characters`
      : lines.map(faultOfText).find((each) => each !== null);
  if (fault === undefined || fault === null) return plain;
  context.addIssue(fault);
  return z.NEVER;
});

const createAnnouncementInput = z.strictObject({
  title: nameText(128),
  description: orElse(description, ''),
  startsAt: orElse(instant, null),
  endsAt: orElse(instant, null),
});

/** Missing stays; null takes an end of the time away. */
const updateAnnouncementInput = z.strictObject({
  title: nameText(128).nullish(),
  description: description.nullish(),
  startsAt: instant.nullish(),
  endsAt: instant.nullish(),
  expectedVersion,
});

const FIELD_REFUSALS = {
  input: 'INPUT_NOT_ALLOWED',
  title: 'TITLE_NOT_ALLOWED',
  description: 'DESCRIPTION_NOT_ALLOWED',
  startsAt: 'WINDOW_NOT_ALLOWED',
  endsAt: 'WINDOW_NOT_ALLOWED',
} as const;

/** What a tenant tells its users. */
export class AnnouncementService {
  constructor(private readonly its: Pick<PlatformServices, 'readOrm' | 'clock' | 'ids' | 'transactions'>) {}

  /** @throws DomainError one of {@link CREATE_ANNOUNCEMENT_REFUSALS} */
  async create(tenantId: string, input: unknown): Promise<Announcement> {
    const wanted = parseInput<typeof createAnnouncementInput, AnnouncementRefusal>(
      createAnnouncementInput,
      input,
      FIELD_REFUSALS,
    );
    assertWindow(wanted);
    const createdAt = new Date(this.its.clock.nowMs());
    const row = { ...wanted, tenantId, id: this.its.ids.next(), version: 1, createdAt };
    return this.its.transactions.run(tenantId, async (em) => insertNew(em, Announcement, row));
  }

  /** @throws DomainError one of {@link UPDATE_ANNOUNCEMENT_REFUSALS} */
  async update(tenantId: string, announcementId: string, input: unknown): Promise<Announcement> {
    const wanted = parseInput<typeof updateAnnouncementInput, AnnouncementRefusal>(
      updateAnnouncementInput,
      input,
      FIELD_REFUSALS,
    );
    const { startsAt, endsAt, expectedVersion: expected, ...texts } = wanted;
    if (!isId(announcementId)) throw announcementNotFound();
    const where = { id: announcementId };
    const changed = await this.its.transactions.run(tenantId, async (em) =>
      changeRow(em, Announcement, where, expected, (row) => {
        const time = {
          startsAt: startsAt === undefined ? row.startsAt : startsAt,
          endsAt: endsAt === undefined ? row.endsAt : endsAt,
        };
        assertWindow(time);
        return { ...givenFields(texts), ...time };
      }),
    );
    if (changed === null) throw announcementNotFound();
    return changed.after;
  }

  /** Of two calls at once one succeeds. @throws DomainError one of {@link DELETE_ANNOUNCEMENT_REFUSALS} */
  async delete(tenantId: string, announcementId: string): Promise<Id> {
    const deleted = isId(announcementId)
      ? await this.its.transactions.run(tenantId, async (em) =>
          em.nativeDelete(Announcement, { id: announcementId }),
        )
      : 0;
    if (deleted === 1) return announcementId;
    throw announcementNotFound();
  }

  /** Newest first. @param currentOnly without those that have ended or not begun */
  async page(tenantId: string, currentOnly: boolean, page: PageRange): Promise<Page<Announcement>> {
    const where = currentOnly ? this.isCurrent() : {};
    return findPage(tenantEm(this.its.readOrm, tenantId), Announcement, where, page);
  }

  private isCurrent(): FilterQuery<Announcement> {
    const now = new Date(this.its.clock.nowMs());
    return {
      $and: [
        { $or: [{ startsAt: null }, { startsAt: { $lte: now } }] },
        { $or: [{ endsAt: null }, { endsAt: { $gt: now } }] },
      ],
    };
  }
}

function assertWindow({ startsAt, endsAt }: Pick<Announcement, 'startsAt' | 'endsAt'>): void {
  if (!startsAt || !endsAt || endsAt.getTime() > startsAt.getTime()) return;
  const code: AnnouncementRefusal = 'WINDOW_NOT_ALLOWED';
  throw new DomainError(code, 'The end must lie after the beginning.', { field: ['input', 'endsAt'] });
}

function announcementNotFound(): DomainError<AnnouncementRefusal> {
  return new DomainError('ANNOUNCEMENT_NOT_FOUND', 'The tenant has no announcement with this id.', {
    field: ['input', 'announcementId'],
  });
}
