import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell, None } from '../../kit/cells';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { TrialBalanceDocument } from './money.gql';

/** Debits and credits of each currency, which must be equal. */
export function TrialBalance() {
  const { data } = useOperation(TrialBalanceDocument, {});
  const balance = data?.trialBalance;
  return (
    <TablePanel
      title="Trial balance"
      aside={
        balance !== undefined && (
          <StatusBadge
            value={balance.isBalanced ? 'BALANCED' : 'NOT_BALANCED'}
            tone={balance.isBalanced ? 'good' : 'bad'}
          />
        )
      }
      heads={['Currency', 'Debit', 'Credit', 'Facilities that do not balance']}
      rows={(balance?.currencies ?? []).map(({ currency, debit, credit, unbalancedFacilityIds }) => ({
        key: currency,
        cells: [
          currency,
          <MoneyCell amount={debit} currency={null} />,
          <MoneyCell amount={credit} currency={null} />,
          unbalancedFacilityIds.length === 0 ? (
            <None />
          ) : (
            unbalancedFacilityIds.map((id) => <IdCell key={id} value={id} />)
          ),
        ],
      }))}
      empty="No money was moved yet."
    />
  );
}
