import { getRouteApi } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell, None, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { FormButton } from '../../kit/form-button';
import { labelOf } from '../../kit/format';
import { UpdatePlanForm } from './plan-form';
import { inventoryText, limitText, trafficText } from './plan-text';
import { PlanDocument, type PlanDetailFragment } from './plans.gql';

const route = getRouteApi('/shell/plans/$id');

export function PlanPage() {
  const { id } = route.useParams();
  const query = useOperation(PlanDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ plan }) => plan}
      title={({ name }) => name}
      back={{ to: '/plans', label: 'Plans' }}
      actions={(plan) => <EditButton plan={plan} />}
    >
      {(plan) => (
        <>
          <Facts
            title="Price"
            facts={[
              ['Price', <MoneyCell amount={plan.unitPrice} currency={plan.currency} />],
              ['For', labelOf(plan.unitTime)],
              [
                'New traffic',
                plan.resetPrice === null ? (
                  <None says="not sold" />
                ) : (
                  <MoneyCell amount={plan.resetPrice} currency={plan.currency} />
                ),
              ],
              ['Sold', plan.sell ? 'yes' : 'no, by codes only'],
              ['In the list of plans', plan.show ? 'yes' : 'no'],
              ['New subscriptions left', inventoryText(plan.inventory)],
            ]}
          />
          <Facts
            title="What it gives"
            facts={[
              ['Traffic', trafficText(plan.trafficBytes)],
              ['Traffic is reset', labelOf(plan.resetCycle)],
              ['Devices', limitText(plan.deviceLimit)],
              ['Live subscriptions a user', limitText(plan.quotaPerUser)],
              ['Extensions by months', plan.keepsAnchorDay ? 'keep the first day' : 'follow the last end'],
              ['Nodes', nodesText(plan)],
            ]}
          />
          <Facts
            title="Record"
            facts={[
              ['Id', <IdCell value={plan.id} />],
              ['Created', <TimeCell value={plan.createdAt} />],
              ['Version', plan.version],
            ]}
          />
        </>
      )}
    </DetailPage>
  );
}

const nodesText = ({ nodeIds, nodeTags }: PlanDetailFragment): string =>
  nodeIds.length + nodeTags.length === 0
    ? 'all'
    : [...nodeTags.map((tag) => `#${tag}`), ...nodeIds].join(', ');

function EditButton({ plan }: { readonly plan: PlanDetailFragment }) {
  return (
    <FormButton
      label="Edit"
      icon={<Pencil size={16} aria-hidden />}
      button={{ variant: 'default' }}
      form={(close) => <UpdatePlanForm plan={plan} onClose={close} />}
    />
  );
}
