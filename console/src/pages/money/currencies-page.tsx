import { Group } from '@mantine/core';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, MoneyCell, None, TimeCell } from '../../kit/cells';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { StatusBadge } from '../../kit/status-badge';
import { SwitchAction } from '../../kit/switch-action';
import { CreateCurrencyForm, UpdateCurrencyForm } from './currency-form';
import { CurrenciesDocument, UpdateCurrencyDocument, type CurrencyRowFragment } from './money.gql';

type Row = CurrencyRowFragment & { readonly id: string };

const sum = (amount: string | null) =>
  amount === null ? <None says="no limit" /> : <MoneyCell amount={amount} currency={null} />;

const columns: readonly Column<Row>[] = [
  { title: 'Code', cell: ({ code }) => <strong>{code}</strong> },
  { title: 'Name', cell: ({ name }) => name },
  {
    title: 'Status',
    cell: ({ enabled }) => <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />,
  },
  { title: 'Digits', align: 'end', cell: ({ scale }) => scale },
  { title: 'Fee', align: 'end', cell: ({ feeRate }) => feeText(feeRate) },
  { title: 'Largest transfer', align: 'end', cell: ({ transferMax }) => sum(transferMax) },
  { title: 'Sum a day', align: 'end', cell: ({ dailySumMax }) => sum(dailySumMax) },
  {
    title: 'Transfers a day',
    align: 'end',
    cell: ({ dailyCountMax }) =>
      dailyCountMax === null ? <None says="no limit" /> : <CountCell value={dailyCountMax} />,
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: '', align: 'end', cell: (currency) => <Actions currency={currency} /> },
];

const feeText = (rate: string): string => `${Number((100 * Number(rate)).toPrecision(12))} %`;

/** Currencies of the tenant, with the rules of transfers in them. */
export function CurrenciesPage() {
  const query = useOperation(CurrenciesDocument, {});
  return (
    <ListPage
      title="Currencies"
      query={query}
      list={({ currencies }) => ({
        total: currencies.length,
        items: currencies.map((currency) => ({ ...currency, id: currency.code })),
      })}
      search={{}}
      columns={columns}
      empty="A currency is what balances and prices are counted in, such as USD or GOLD. There is none yet."
      actions={
        <FormButton
          label="New currency"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreateCurrencyForm onClose={close} />}
        />
      }
    />
  );
}

function Actions({ currency }: { readonly currency: CurrencyRowFragment }) {
  const update = useAction(UpdateCurrencyDocument);
  const { code, enabled, version: expectedVersion } = currency;
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Edit"
          name={`Edit ${code}`}
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <UpdateCurrencyForm currency={currency} onClose={close} />}
        />
        <SwitchAction
          what="currency"
          name={code}
          isEnabled={enabled}
          off={`Transfers in ${code} are refused with CURRENCY_DISABLED until it is enabled again. Balances stay.`}
          on={`Users can send each other ${code} again.`}
          run={async (next) => update.mutateAsync({ input: { code, enabled: next, expectedVersion } })}
        />
      </Group>
    </Can>
  );
}
