import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, MoneyCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { DetailPage, Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { CancelOrderDocument, OrderDocument } from './orders.gql';
import type { Order } from './order-terms';
import { RefundButton } from './refund-form';

const route = getRouteApi('/shell/orders/$orderNo');

/** One order: what was bought, how it was paid, and what was given back. */
export function OrderPage() {
  const { orderNo } = route.useParams();
  const query = useOperation(OrderDocument, { orderNo });
  return (
    <DetailPage
      query={query}
      row={({ order }) => order}
      title={(order) => `Order ${order.orderNo}`}
      back={{ to: '/orders', label: 'Orders' }}
      actions={(order) => (
        <Can permission="CHANGE">
          {order.status === 'PENDING' && order.paymentState === 'UNPAID' && <CancelButton order={order} />}
          {(order.paymentState === 'PAID' || order.paymentState === 'PARTLY_REFUNDED') && (
            <RefundButton order={order} />
          )}
        </Can>
      )}
    >
      {(order) => (
        <>
          <What order={order} />
          {order.paymentState !== null && <Payment order={order} />}
          <Refunds order={order} />
        </>
      )}
    </DetailPage>
  );
}

function What({ order }: { readonly order: Order }) {
  const { type, status, userId, externalUserId, planId, quantity, subscriptionId } = order;
  return (
    <Facts
      title="Order"
      facts={[
        ['Type', labelOf(type)],
        ['Status', <StatusBadge value={status} />],
        ['User', externalUserId ?? <IdCell value={userId} />],
        ['Plan', planId === null ? <None /> : <IdCell value={planId} />],
        ['Quantity', quantity === null ? <None /> : <CountCell value={quantity} />],
        ['Subscription', subscriptionId === null ? <None /> : <IdCell value={subscriptionId} />],
        ['Placed', <TimeCell value={order.createdAt} />],
        ['Paid', <TimeCell value={order.paidAt} />],
        ['Finished', <TimeCell value={order.finishedAt} />],
        ['Closed', <TimeCell value={order.closedAt} />],
        ['Closed because', order.closeReason === null ? <None /> : labelOf(order.closeReason)],
        ['First purchase', order.isNew ? 'yes' : 'no'],
      ]}
    />
  );
}

function Payment({ order }: { readonly order: Order }) {
  const { paymentState, currency } = order;
  const money = (amount: string | null) =>
    amount === null ? <None /> : <MoneyCell amount={amount} currency={currency} />;
  return (
    <>
      <Facts
        title="Payment"
        facts={[
          ['State', paymentState === null ? <None /> : <StatusBadge value={paymentState} />],
          ['Total', money(order.total)],
          ['Coupons take off', money(order.discount)],
          ['Points spent', order.pointsSpent === null ? <None /> : <CountCell value={order.pointsSpent} />],
          ['To pay', money(order.amount)],
          ['Refunded', money(order.refunded)],
        ]}
      />
      <TablePanel
        title="Coupons"
        heads={['Coupon', 'Takes off']}
        rows={order.coupons.map(({ couponId, amount }) => ({
          key: couponId,
          cells: [<IdCell value={couponId} />, money(amount)],
        }))}
        empty="No coupon was used."
      />
    </>
  );
}

function Refunds({ order: { refunds, currency } }: { readonly order: Order }) {
  return (
    <TablePanel
      title="Refunds"
      heads={['No.', 'Time', 'Amount', 'Reason', 'Owed']}
      rows={refunds.map(({ refundNo, createdAt, amount, reason, debt }) => ({
        key: String(refundNo),
        cells: [
          refundNo,
          <TimeCell value={createdAt} />,
          <MoneyCell amount={amount} currency={currency} />,
          reason,
          debt ?? <None says="nothing" />,
        ],
      }))}
      empty="Nothing was refunded."
    />
  );
}

function CancelButton({ order: { orderNo } }: { readonly order: Order }) {
  const cancel = useAction(CancelOrderDocument);
  return (
    <ConfirmAction
      label="Cancel order"
      says={`Order ${orderNo} is closed. Its coupons, points and inventory go back at once. A payment that still comes in is credited to the user's balance.`}
      isDangerous
      run={async () => cancel.mutateAsync({ input: { orderNo } })}
      done="The order was cancelled."
    />
  );
}
