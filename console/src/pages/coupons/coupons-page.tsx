import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { COUPON_STATUSES, worthText } from './coupon-terms';
import { CouponsDocument, type CouponsQuery } from './coupons.gql';

const route = getRouteApi('/shell/coupons');

type Row = CouponsQuery['coupons']['items'][number];

function Order({ row: { usedOrderId, reservedOrderId } }: { readonly row: Row }) {
  const orderNo = usedOrderId ?? reservedOrderId;
  if (orderNo === null) return <None />;
  return (
    <TextLink to="/orders/$orderNo" params={{ orderNo }} size="sm">
      {orderNo}
    </TextLink>
  );
}

const columns: readonly Column<Row>[] = [
  {
    title: 'Coupon',
    cell: ({ templateId, name }) => (
      <TextLink to="/coupon-templates/$id" params={{ id: templateId }} size="sm" fw={600}>
        {name ?? templateId}
      </TextLink>
    ),
  },
  {
    title: 'User',
    cell: ({ userId, externalUserId }) => (
      <TextLink to="/users/$id" params={{ id: userId }} size="sm">
        {externalUserId ?? userId}
      </TextLink>
    ),
  },
  { title: 'Worth', cell: worthText },
  {
    title: 'Left',
    align: 'end',
    cell: ({ kind, balance }) =>
      kind === 'AMOUNT' ? <MoneyCell amount={balance} currency={null} /> : <None says="one use" />,
  },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Order', cell: (row) => <Order row={row} /> },
  { title: 'Issued', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: 'Until', cell: ({ expiresAt }) => <TenantTimeCell value={expiresAt} /> },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
];

/** Coupons that users have. */
export function CouponsPage() {
  const { userId, templateId, status, ...search } = route.useSearch();
  const filter = { userId: userId ?? null, templateId: templateId ?? null, status: status ?? null };
  const query = useOperation(CouponsDocument, { ...pageVariables(search), filter });
  return (
    <ListPage
      title="Coupons"
      query={query}
      list={({ coupons }) => coupons}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="userId" label="Id of a user" />
          <TextFilter name="templateId" label="Id of a template" />
          <ChoiceFilter name="status" label="Status" values={COUPON_STATUSES} />
        </>
      }
      empty="No coupon fits. Codes give coupons, and staff issue them on the page of a template."
    />
  );
}
