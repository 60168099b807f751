import { BytesCell, CountCell, IdCell, MoneyCell, None, TenantTimeCell } from '../../kit/cells';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import type { UserQuery } from './users.gql';

/** Subscriptions, balances, coupons and points of a user. */
export function HoldingsPanels({ holdings }: { readonly holdings: UserQuery }) {
  return (
    <>
      <Subscriptions subscriptions={holdings.subscriptions} />
      <TablePanel
        title="Balances"
        heads={['Balance', 'Facility', 'Status']}
        rows={holdings.accounts.items.map(({ id, balance, currency, facilityId, haltedAt }) => ({
          key: id,
          cells: [
            <MoneyCell amount={balance} currency={currency} />,
            <IdCell value={facilityId} />,
            <StatusBadge value={haltedAt === null ? 'ACTIVE' : 'HALTED'} />,
          ],
        }))}
        empty="The user has no account."
      />
      <Coupons coupons={holdings.coupons} />
      <TablePanel
        title={`Points: ${holdings.points?.balance ?? 0}`}
        heads={['Left', 'Expire']}
        rows={(holdings.points?.lots ?? []).map(({ id, remaining, expiresAt }) => ({
          key: id,
          cells: [<CountCell value={remaining} />, <TenantTimeCell value={expiresAt} />],
        }))}
        empty="The user has no points."
      />
    </>
  );
}

function Subscriptions({ subscriptions: { items } }: Pick<UserQuery, 'subscriptions'>) {
  return (
    <TablePanel
      title="Subscriptions"
      heads={['Plan', 'Status', 'Since', 'Until', 'Traffic used', 'Of']}
      rows={items.map((each) => ({
        key: each.id,
        cells: [
          each.plan?.name ?? <IdCell value={each.planId} />,
          <StatusBadge value={each.status} />,
          <TenantTimeCell value={each.startedAt} />,
          <TenantTimeCell value={each.expiresAt} />,
          <BytesCell value={each.trafficUsedBytes} />,
          each.trafficBytes === 0 ? <None says="unlimited" /> : <BytesCell value={each.trafficBytes} />,
        ],
      }))}
      empty="The user has no subscription."
    />
  );
}

function Coupons({ coupons: { items } }: Pick<UserQuery, 'coupons'>) {
  return (
    <TablePanel
      title="Coupons"
      heads={['Coupon', 'Status', 'Left', 'Until']}
      rows={items.map(({ id, name, status, balance, currency, expiresAt }) => ({
        key: id,
        cells: [
          name ?? <IdCell value={id} />,
          <StatusBadge value={status} />,
          <MoneyCell amount={balance} currency={currency} />,
          <TenantTimeCell value={expiresAt} />,
        ],
      }))}
      empty="The user has no coupon."
    />
  );
}
