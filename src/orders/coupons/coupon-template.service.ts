import { changeRow, givenFields } from '../../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import { Money } from '../../platform/decimal.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { ReadCache } from '../../platform/read-cache.js';
import type { CurrencyScales } from '../currency-scales.js';
import {
  CHANGEABLE_FIELD_REFUSALS,
  createTemplateInput,
  FIELD_REFUSALS,
  isWindow,
  updateTemplateInput,
  WINDOW_FAULT,
  type CouponTemplateWanted,
} from './coupon-template-input.js';
import { CouponTemplate } from './coupon-template.entity.js';
import type { CreateCouponTemplateRefusal, UpdateCouponTemplateRefusal } from './coupon.errors.js';

export interface TemplateParts extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions'
> {
  readonly currencyScales: CurrencyScales;
}

/** What coupons are made from. Kind, currency and terms never change: campaigns promise them. */
export class CouponTemplateService {
  private readonly cache: ReadCache<CouponTemplate>;

  constructor(private readonly its: TemplateParts) {
    this.cache = new ReadCache(async (tenantId, id) => this.read(tenantId, id));
  }

  /** @throws DomainError one of {@link CREATE_COUPON_TEMPLATE_REFUSALS} */
  async create(tenantId: string, input: unknown): Promise<CouponTemplate> {
    const wanted = parseInput<typeof createTemplateInput, CreateCouponTemplateRefusal>(
      createTemplateInput,
      input,
      FIELD_REFUSALS,
    );
    await this.assertAmounts(tenantId, wanted);
    const template = {
      ...wanted,
      tenantId,
      id: this.its.ids.next(),
      issued: 0,
      version: 1,
      createdAt: new Date(this.its.clock.nowMs()),
    };
    return this.its.transactions.run(tenantId, async (em) => {
      await em.insert(CouponTemplate, template);
      return em.map(CouponTemplate, template);
    });
  }

  /**
   * With effect on coupons that are issued from then on; those that are out keep what they were issued with.
   * @throws DomainError one of {@link UPDATE_COUPON_TEMPLATE_REFUSALS}
   */
  async update(tenantId: string, templateId: Id, input: unknown): Promise<CouponTemplate> {
    const { expectedVersion, name, enabled, ...rest } = parseInput<
      typeof updateTemplateInput,
      UpdateCouponTemplateRefusal
    >(updateTemplateInput, input, CHANGEABLE_FIELD_REFUSALS);
    const values = { ...givenFields({ name, enabled }), ...withoutMissing(rest) };
    const decide = (template: CouponTemplate) => {
      const next = { ...template, ...values };
      if (!isWindow(next)) refuse('WINDOW_NOT_ALLOWED', `The end ${WINDOW_FAULT}.`, 'endsAt');
      if (typeof next.issueLimit === 'number' && next.issueLimit < template.issued) {
        const message = `${template.issued} coupons have been issued; the limit cannot be below that.`;
        refuse('ISSUE_LIMIT_BELOW_ISSUED', message, 'issueLimit');
      }
      return values;
    };
    const changed = isId(templateId)
      ? await this.its.transactions.run(tenantId, async (em) =>
          changeRow(em, CouponTemplate, { id: templateId }, expectedVersion, decide),
        )
      : null;
    if (changed === null)
      return refuse('COUPON_TEMPLATE_NOT_FOUND', 'The tenant has no template with this id.', 'templateId');
    this.cache.invalidate(tenantId, templateId);
    return changed.after;
  }

  async find(tenantId: string, templateId: Id): Promise<CouponTemplate | null> {
    return isId(templateId) ? this.read(tenantId, templateId) : null;
  }

  /** As it was at most a second ago; many callers at once make one query. */
  async findCached(tenantId: string, templateId: Id): Promise<CouponTemplate | null> {
    return isId(templateId) ? this.cache.find(tenantId, templateId) : null;
  }

  /** Newest first. */
  async list(tenantId: string, page: PageRange): Promise<Page<CouponTemplate>> {
    return findPage(tenantEm(this.its.readOrm, tenantId), CouponTemplate, {}, page);
  }

  private async read(tenantId: string, id: Id): Promise<CouponTemplate | null> {
    return tenantEm(this.its.orm, tenantId).findOne(CouponTemplate, { id }, { disableIdentityMap: true });
  }

  private async assertAmounts(tenantId: string, wanted: CouponTemplateWanted): Promise<void> {
    const { currency } = wanted;
    const scale = await this.its.currencyScales(tenantId, currency);
    if (scale === null)
      return refuse('CURRENCY_NOT_FOUND', `The tenant has no currency ${currency}.`, 'currency');
    for (const field of ['amount', 'minimum'] as const) {
      if (new Money(wanted[field]).decimalPlaces() <= scale) continue;
      const message = `${currency} has ${scale} digits after the point, and ${wanted[field]} has more.`;
      refuse('AMOUNT_TOO_PRECISE', message, field);
    }
  }
}

function withoutMissing<Fields extends object>(fields: Fields): Partial<Fields> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Fields>;
}

function refuse(
  code: CreateCouponTemplateRefusal | UpdateCouponTemplateRefusal,
  message: string,
  field: string,
): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
