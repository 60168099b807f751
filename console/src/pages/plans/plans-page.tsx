import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell } from '../../kit/cells';
import { labelOf } from '../../kit/format';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { CreatePlanForm } from './plan-form';
import { inventoryText, trafficText } from './plan-text';
import { PlansDocument, type PlanRowFragment } from './plans.gql';

const route = getRouteApi('/shell/plans');

const columns: readonly Column<PlanRowFragment>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <TextLink to="/plans/$id" params={{ id }} size="sm" fw={600}>
        {name}
      </TextLink>
    ),
  },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
  {
    title: 'Price',
    align: 'end',
    cell: (plan) => <MoneyCell amount={plan.unitPrice} currency={plan.currency} />,
  },
  { title: 'For', cell: ({ unitTime }) => labelOf(unitTime) },
  { title: 'Traffic', align: 'end', cell: ({ trafficBytes }) => trafficText(trafficBytes) },
  { title: 'Left', align: 'end', cell: ({ inventory }) => inventoryText(inventory) },
  {
    title: 'Sale',
    cell: ({ sell, show }) => (
      <StatusBadge
        value={sell ? (show ? 'SOLD' : 'SOLD_HIDDEN') : 'BY_CODE_ONLY'}
        tone={sell ? 'good' : 'idle'}
      />
    ),
  },
];

export function PlansPage() {
  const search = route.useSearch();
  const query = useOperation(PlansDocument, pageVariables(search));
  return (
    <ListPage
      title="Plans"
      query={query}
      list={({ plans }) => plans}
      search={search}
      columns={columns}
      empty="A plan is a subscription that codes give and users buy. There is none yet."
      actions={
        <FormButton
          label="New plan"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreatePlanForm onClose={close} />}
        />
      }
    />
  );
}
