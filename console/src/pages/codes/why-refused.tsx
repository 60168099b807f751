import { useOperation } from '../../api/queries';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { RefusedAttemptsDocument } from './codes.gql';

/** Why attempts with this text were refused: for the customer who says that the code does not work. */
export function WhyRefused({ code }: { readonly code: string }) {
  const { data } = useOperation(RefusedAttemptsDocument, { code });
  return (
    <TablePanel
      title="Why was it refused?"
      heads={['Time', 'Refusal', 'User', 'Product line', 'Repeated']}
      rows={(data?.attempts.items ?? []).map((each) => ({
        key: each.id,
        cells: [
          <TimeCell value={each.refusedAt} />,
          <StatusBadge value={each.refusal} tone="bad" />,
          each.externalUserId ?? <IdCell value={each.userId} />,
          each.productCode ?? <None says="none named" />,
          each.further,
        ],
      }))}
      empty="No attempt with this text was refused in the last weeks."
    />
  );
}
