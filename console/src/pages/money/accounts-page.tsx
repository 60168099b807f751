import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, MoneyCell, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { AccountsDocument, ReleaseAccountDocument, type AccountRowFragment } from './money.gql';
import { TrialBalance } from './trial-balance';

const route = getRouteApi('/shell/accounts');

const columns: readonly Column<AccountRowFragment>[] = [
  {
    title: 'User',
    cell: ({ userId, externalUserId }) => (
      <TextLink to="/users/$id" params={{ id: userId }} size="sm" fw={600}>
        {externalUserId ?? userId}
      </TextLink>
    ),
  },
  {
    title: 'Balance',
    align: 'end',
    cell: ({ balance, currency }) => <MoneyCell amount={balance} currency={currency} />,
  },
  {
    title: 'Account',
    cell: ({ id }) => (
      <TextLink to="/entries" search={{ accountId: id }} size="sm">
        {id}
      </TextLink>
    ),
  },
  { title: 'Facility', cell: ({ facilityId }) => <IdCell value={facilityId} /> },
  {
    title: 'Status',
    cell: ({ haltedAt }) => <StatusBadge value={haltedAt === null ? 'ACTIVE' : 'HALTED'} />,
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: '', align: 'end', cell: (account) => account.haltedAt !== null && <Release account={account} /> },
];

/** Accounts of users, with the trial balance of the ledger. */
export function AccountsPage() {
  const { userId, facilityId, currency, state, ...search } = route.useSearch();
  const query = useOperation(AccountsDocument, {
    ...pageVariables(search),
    filter: {
      userId: userId ?? null,
      facilityId: facilityId ?? null,
      currency: currency ?? null,
      isHalted: state === undefined ? null : state === 'HALTED',
    },
  });
  return (
    <>
      <ListPage
        title="Accounts"
        query={query}
        list={({ accounts }) => accounts}
        search={search}
        columns={columns}
        filters={
          <>
            <TextFilter name="userId" label="Id of a user" />
            <TextFilter name="facilityId" label="Id of a facility" />
            <TextFilter name="currency" label="Currency" />
            <ChoiceFilter name="state" label="Status" values={['ACTIVE', 'HALTED']} />
          </>
        }
        empty="No account fits. An account is made when money first reaches a user."
      />
      <TrialBalance />
    </>
  );
}

function Release({ account: { id: accountId, haltedAt } }: { readonly account: AccountRowFragment }) {
  const release = useAction(ReleaseAccountDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Release"
        name={`Release account ${accountId}`}
        says={`The account was halted ${haltedAt === null ? '' : `at ${haltedAt} `}because its last entry did not match its balance. Money moves again after the release. Release it only after reconciliation has shown that the balance is right.`}
        isDangerous
        run={async () => release.mutateAsync({ input: { accountId } })}
        done="The account is released."
        button={{ size: 'xs' }}
      />
    </Can>
  );
}
