import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { countNumber, foreignKeyText, orElse, parseInput } from '../platform/input.js';
import { insertNew } from '../platform/database/insert-new.js';
import { callKeyOf, findKeyed, makeOnce } from '../platform/database/keyed-rows.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import type { AddCodesRefusal } from './code-allocation.errors.js';
import { assertUser } from './assigned-user.js';
import { CodeBatch } from './code-batch.entity.js';
import { codesGenerated } from './code-events.js';
import { CodeFormatRow } from './code-format.entity.js';
import type { CodeRefresh } from './code-refresh.js';
import { moveCodeTotals } from './code-totals.service.js';
import { canonicalText, type GivenCode, type GivenCodes } from './given-code.js';
import { shapesOf, type FormatCount } from './given-format.js';
import { isSecret, type GuessSafety } from './guess-safety.service.js';
import { newBatch } from './new-batch.js';
import { openCampaign } from './open-campaign.js';
import { activePepper } from './pepper-registry.js';

const CHOSEN_AT_ONCE_MAX = 1000;
/** Of more texts than these, each by itself would make every look at what was typed slower. */
const LITERAL_FORMATS_MAX = 20;
/** A look at what was typed goes through all formats of the tenant, so they must not grow without end. */
const TENANT_FORMATS_MAX = 1000;

const addCodesInput = z.strictObject({
  campaignId: z.string().max(24),
  codes: z.array(z.string().max(40)).min(1).max(CHOSEN_AT_ONCE_MAX),
  useLimit: orElse(countNumber(0, 2_147_483_647), null),
  assignedUserId: orElse(z.string().max(24), null),
  idempotencyKey: orElse(foreignKeyText, null),
});
type Wanted = z.output<typeof addCodesInput>;

interface BatchName {
  readonly tenantId: string;
  readonly id: Id;
}

export interface ChosenBatch {
  readonly batch: CodeBatch;
  readonly replayed: boolean;
}

export interface ChosenCollaborators extends Pick<
  PlatformServices,
  'orm' | 'ids' | 'clock' | 'transactions' | 'outbox'
> {
  readonly given: GivenCodes;
  readonly tenants: TenantService;
  readonly guesses: GuessSafety;
  readonly refresh: CodeRefresh;
}

/** Adds codes whose texts staff have chosen: one that is shared, like WELCOME10, or a list. */
export class ChosenCodesService {
  constructor(private readonly its: ChosenCollaborators) {}

  /**
   * Adds all of the codes as one batch, or none. The same key again answers the same batch.
   * @throws DomainError one of {@link ADD_CODES_REFUSALS}
   */
  async add(tenantId: string, input: unknown): Promise<ChosenBatch> {
    const wanted = parseInput<typeof addCodesInput, AddCodesRefusal>(addCodesInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      campaignId: 'CAMPAIGN_NOT_FOUND',
      codes: 'CODE_COUNT_OUT_OF_RANGE',
      useLimit: 'USE_LIMIT_OUT_OF_RANGE',
      assignedUserId: 'USER_NOT_FOUND',
      idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
    });
    const codes = givenCodes(wanted);
    return makeOnce<ChosenBatch>(
      async () => {
        const call = callKeyOf(tenantId, 'code_batch', wanted);
        const batch = await findKeyed(tenantEm(this.its.orm, tenantId), CodeBatch, call);
        return batch === null ? null : { batch, replayed: true };
      },
      async () => {
        const batch = await this.make(tenantId, wanted, codes);
        await this.its.refresh.added(tenantId);
        return { batch, replayed: false };
      },
    );
  }

  private async make(tenantId: string, wanted: Wanted, codes: readonly GivenCode[]): Promise<CodeBatch> {
    await this.its.tenants.assertCanIssue(tenantId, codes.length);
    const id = this.its.ids.next();
    // Of two calls that add the same code the second run finds it there, and is refused.
    return this.its.transactions.runReadingBack(tenantId, async (em, readsBack) => {
      const stored = readsBack ? await em.findOne(CodeBatch, { id }, { disableIdentityMap: true }) : null;
      return stored ?? this.write(em, { tenantId, id }, wanted, codes);
    });
  }

  private async write(
    em: Em,
    { tenantId, id }: BatchName,
    wanted: Wanted,
    codes: readonly GivenCode[],
  ): Promise<CodeBatch> {
    const campaign = await openCampaign(em, wanted.campaignId);
    if (wanted.assignedUserId !== null) await assertUser(em, wanted.assignedUserId, 'assignedUserId');
    const canonicals = codes.map(({ canonical }) => canonical);
    const keyId = await activePepper(em);
    const batch = await this.insertBatch(em, { tenantId, id }, wanted);
    const taken = await this.its.given.batchesOf(em, tenantId, canonicals);
    const index = canonicals.findIndex((canonical) => taken.has(canonical));
    if (index >= 0)
      refuse('CODE_EXISTS', `The tenant has ${taken.size} of these codes already.`, ['codes', String(index)]);
    const { campaignId, createdAt: issuedAt } = batch;
    const origin = { tenantId, campaignId, batchId: id, recipe: campaign, keyId, issuedAt };
    const moves = await this.its.given.insert(em, origin, codes);
    this.its.outbox.append(em, tenantId, [codesGenerated(batch)]);
    await this.its.tenants.reserveCodes(em, tenantId, codes.length);
    const isCrowded = (await em.count(CodeFormatRow, {})) >= TENANT_FORMATS_MAX;
    const areLiteral = codes.length <= LITERAL_FORMATS_MAX && !isCrowded;
    // Long lists are handed out like generated codes: of two uses, they would fill a space uncounted.
    const useLimit = wanted.useLimit ?? campaign.rule.useLimit;
    const isCounted = !areLiteral || isSecret({ useLimit, assignedUserId: wanted.assignedUserId });
    for (const { format, count } of formatsOf(codes, areLiteral)) {
      if (isCounted) await this.its.guesses.count(em, { tenantId, batchId: batch.id, format, count });
      else await this.its.guesses.register(em, tenantId, format);
    }
    await moveCodeTotals(em, moves);
    return batch;
  }

  private async insertBatch(em: Em, { tenantId, id }: BatchName, wanted: Wanted): Promise<CodeBatch> {
    const { campaignId, codes } = wanted;
    const row = newBatch({
      tenantId,
      id,
      campaignId,
      status: 'READY' as const,
      requested: codes.length,
      generated: codes.length,
      ...callKeyOf(tenantId, 'code_batch', wanted),
      createdAt: new Date(this.its.clock.nowMs()),
    });
    return insertNew(em, CodeBatch, row);
  }
}

function givenCodes({ codes, useLimit, assignedUserId }: Wanted): GivenCode[] {
  const seen = new Map<string, number>();
  return codes.map((text, index) => {
    const canonical = canonicalText(text);
    const field = ['codes', String(index)];
    if (canonical === null) {
      const message = 'A code has 4 to 32 letters A to Z and digits, and up to 40 characters with hyphens.';
      return refuse('CODE_TEXT_NOT_ALLOWED', message, field);
    }
    const first = seen.get(canonical);
    if (first !== undefined)
      refuse('CODES_REPEATED', `The codes ${first + 1} and ${index + 1} are read as the same.`, field);
    seen.set(canonical, index);
    return { text, canonical, useLimit, startsAt: null, expiresAt: null, assignedUserId };
  });
}

/** A few codes stand for themselves, so that a typo is still refused before any look-up; of many the shapes. */
function formatsOf(codes: readonly GivenCode[], areLiteral: boolean): FormatCount[] {
  if (areLiteral) return codes.map(({ text }) => ({ format: { template: text, alphabet: '' }, count: 1 }));
  return shapesOf(codes.map(({ canonical }) => canonical));
}

function refuse(code: AddCodesRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field: ['input', ...field] });
}
