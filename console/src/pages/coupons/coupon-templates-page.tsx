import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useOperation } from '../../api/queries';
import { CountCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { FormButton } from '../../kit/form-button';
import { countText } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { CreateCouponTemplateForm } from './coupon-template-form';
import { worthText } from './coupon-terms';
import { CouponTemplatesDocument, type CouponTemplateRowFragment } from './coupons.gql';

const route = getRouteApi('/shell/coupon-templates');

const columns: readonly Column<CouponTemplateRowFragment>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <TextLink to="/coupon-templates/$id" params={{ id }} size="sm" fw={600}>
        {name}
      </TextLink>
    ),
  },
  { title: 'Worth', cell: worthText },
  {
    title: 'Status',
    cell: ({ enabled }) => <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />,
  },
  {
    title: 'Issued',
    align: 'end',
    cell: ({ issued, issueLimit }) =>
      issueLimit === null ? <CountCell value={issued} /> : `${countText(issued)} of ${countText(issueLimit)}`,
  },
  {
    title: 'Valid',
    align: 'end',
    cell: ({ validDays }) =>
      validDays === null ? <None says="until the end" /> : `${countText(validDays)} days`,
  },
  { title: 'Issued until', cell: ({ endsAt }) => <TenantTimeCell value={endsAt} /> },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Kinds of coupons that codes and staff give. */
export function CouponTemplatesPage() {
  const search = route.useSearch();
  const query = useOperation(CouponTemplatesDocument, pageVariables(search));
  return (
    <ListPage
      title="Coupon templates"
      query={query}
      list={({ couponTemplates }) => couponTemplates}
      search={search}
      columns={columns}
      empty="A template says what its coupons take off an order. There is none yet."
      actions={
        <FormButton
          label="New template"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreateCouponTemplateForm onClose={close} />}
        />
      }
    />
  );
}
