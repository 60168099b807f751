import type { MikroORM } from '@mikro-orm/core';
import type { FactsWanted } from '../../campaigns/campaign-conditions.service.js';
import type { OrderService } from '../../orders/orders/order.service.js';
import type { UserService } from '../../identity/users/user.service.js';
import { queryTogether } from '../../platform/database/execute-together.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { wallTimeOf } from '../../platform/zoned-time.js';
import type { ConditionFact, ConditionFacts } from '../../rewards/condition-facts.js';

interface Counts {
  readonly id: Id;
  readonly inTenant: number;
  readonly inCampaign: number;
}

/** A count ends here, so that a user with more redemptions costs no more. */
const COUNTED_MAX = 10_000;

/** Those that limits count, too: a reversal may have given its use back. */
const COUNTS = `(select ? as id, count(*) as inTenant, cast(coalesce(sum(campaign_id = cast(? as unsigned)), 0) as double) as inCampaign
  from (select campaign_id from redemption force index (uq_redemption__user_key)
         where tenant_id = ? and user_id = ? and user_use_no is not null limit ${COUNTED_MAX}) own)`;

/**
 * Reads what conditions ask of users, and only what they name: a statement for each kind, one after the other. All of it
 * is a snapshot: what commits at the same time may not be in it, and limits of campaigns do not depend on it.
 */
export class ConditionFactsReader {
  constructor(
    private readonly orm: MikroORM,
    private readonly users: Pick<UserService, 'factsOf'>,
    private readonly orders: Pick<OrderService, 'usersWithPaidOrder' | 'paidBy'>,
  ) {}

  /** By user; users who may not redeem are left out, where their row is read. */
  async read(
    tenantId: string,
    userIds: readonly Id[],
    wanted: FactsWanted,
  ): Promise<ReadonlyMap<Id, ConditionFacts>> {
    const { facts } = wanted;
    const em = tenantEm(this.orm, tenantId);
    const asks = (...names: ConditionFact[]): boolean => names.some((name) => facts.has(name));
    const [users, buyers, paid, counts] = await Promise.all([
      asks('userTags') ? this.users.factsOf(em, tenantId, userIds) : null,
      asks('isNew') ? this.orders.usersWithPaidOrder(em, tenantId, userIds) : null,
      asks('paidOrders', 'spent') ? this.orders.paidBy(em, tenantId, userIds) : [],
      asks('campaignRedemptions', 'tenantRedemptions') ? countsOf(em, tenantId, userIds, wanted) : [],
    ]);
    const shared = sharedFacts(wanted);
    const active = userIds.filter((id) => users === null || users.get(id)?.status === 'ACTIVE');
    return new Map(
      active.map((id) => {
        const own = paid.filter(({ userId }) => userId === id);
        const { inTenant = 0, inCampaign = 0 } = counts.find((count) => count.id === id) ?? {};
        return [
          id,
          {
            ...shared,
            userTags: users?.get(id)?.tags,
            isNew: buyers?.has(id) === false,
            paidOrders: BigInt(own.reduce((sum, { orders }) => sum + orders, 0)),
            spent: spentBy(own, wanted.currencies),
            tenantRedemptions: BigInt(inTenant),
            campaignRedemptions: BigInt(inCampaign),
          },
        ];
      }),
    );
  }
}

function spentBy(
  own: readonly { readonly currency: string; readonly spent: string }[],
  currencies: ReadonlySet<string>,
): Readonly<Record<string, bigint>> {
  const none = [...currencies].map((currency) => [currency, 0n] as const);
  return Object.fromEntries([
    ...none,
    ...own.map(({ currency, spent }) => [currency, BigInt(spent)] as const),
  ]);
}

/** What is the same for all users of one request. */
function sharedFacts({ facts, productCode, deviceId, nowMs, timeZone }: FactsWanted): ConditionFacts {
  const now = { productLine: productCode, deviceId: deviceId ?? '', now: new Date(nowMs) };
  if (!WALL_FACTS.some((fact) => facts.has(fact))) return now;
  const { date, ...numbers } = wallTimeOf(nowMs, timeZone);
  const parts = Object.entries(numbers).map(([name, part]) => [name, BigInt(part)] as const);
  return { ...now, date, ...Object.fromEntries(parts) };
}

const WALL_FACTS = ['date', 'year', 'month', 'day', 'weekday', 'hour', 'minute'] as const;

async function countsOf(
  em: Em,
  tenantId: string,
  userIds: readonly Id[],
  { campaignId }: FactsWanted,
): Promise<Counts[]> {
  const params = userIds.flatMap((id) => [id, campaignId, tenantId, id]);
  return queryTogether(em, userIds.map(() => COUNTS).join(' union all '), params);
}
