import { Code, Stack } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { pageOf, sizeOf } from '../../kit/search';
import { TablePanel } from '../../kit/table-panel';
import { DeadLettersDocument, RedriveDeadLettersDocument, type DeadLettersQuery } from './operations.gql';

const route = getRouteApi('/shell/dead-letters');

type Row = DeadLettersQuery['deadLetters']['items'][number] & { readonly id: string };

const columns: readonly Column<Row>[] = [
  { title: 'Order', cell: ({ orderNo }) => <IdCell value={orderNo} /> },
  { title: 'User', cell: ({ externalUserId }) => externalUserId ?? <None says="not read" /> },
  { title: 'Code', cell: ({ codeId }) => <IdCell value={codeId} /> },
  { title: 'Reason', cell: ({ reason }) => labelOf(reason) },
  { title: 'Attempts', align: 'end', cell: ({ attempts }) => <CountCell value={attempts} /> },
  { title: 'Claimed', cell: ({ claimedAt }) => <TimeCell value={claimedAt} /> },
  { title: 'Since', cell: ({ since }) => <TimeCell value={since} /> },
  { title: '', align: 'end', cell: ({ orderNo }) => <Redrive orderNo={orderNo} /> },
];

/** Redemptions that were answered PROCESSING and could be neither settled nor aborted. */
export function DeadLettersPage() {
  const search = route.useSearch();
  const query = useOperation(DeadLettersDocument, { page: pageOf(search), size: sizeOf(search) });
  const total = query.data?.deadLetters.total ?? 0;
  const events = query.data?.tenantEventLetters;
  return (
    <Stack gap="md">
      <ListPage
        title="Dead letters"
        query={query}
        list={({ deadLetters: { total: count, items } }) => ({
          total: count,
          items: items.map((letter) => ({ ...letter, id: letter.orderNo })),
        })}
        search={search}
        columns={columns}
        empty="There is none: every redemption that was answered PROCESSING is settled or under way."
        actions={total > 0 && <RedriveAll total={total} />}
      />
      {events !== undefined && events.total > 0 && <TenantEvents events={events.items} />}
    </Stack>
  );
}

type TenantEvent = DeadLettersQuery['tenantEventLetters']['items'][number];

/** Events of the tenant directory that could not be applied, the latest ones; for staff of the platform. */
function TenantEvents({ events }: { readonly events: readonly TenantEvent[] }) {
  const rows = events.map(({ id, event, fault, message, attempts, since }) => ({
    key: id,
    cells: [
      <Code>{event}</Code>,
      labelOf(fault),
      message,
      <CountCell value={attempts} />,
      <TimeCell value={since} />,
      <RedriveEvent id={id} />,
    ],
  }));
  const heads = ['Event', 'Fault', 'Reason', 'Attempts', 'Since', ''];
  return <TablePanel title="Events of the tenant directory" heads={heads} rows={rows} />;
}

function RedriveEvent({ id }: { readonly id: string }) {
  const redrive = useAction(RedriveDeadLettersDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Redrive"
        name={`Redrive event ${id}`}
        says="The event is applied now, unless its tenant has a later state already. If it fails again, it stays here."
        run={async () => redrive.mutateAsync({ input: { tenantEvent: id } })}
        done="The event is applied."
        button={{ size: 'xs' }}
      />
    </Can>
  );
}

function Redrive({ orderNo }: { readonly orderNo: string }) {
  const redrive = useAction(RedriveDeadLettersDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Redrive"
        name={`Redrive ${orderNo}`}
        says="A worker tries to settle this redemption again. It is settled once or aborted, never twice."
        run={async () => redrive.mutateAsync({ input: { orderNo } })}
        done="A worker tries it again."
        button={{ size: 'xs' }}
      />
    </Can>
  );
}

function RedriveAll({ total }: { readonly total: number }) {
  const redrive = useAction(RedriveDeadLettersDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Redrive all"
        says={`Workers try to settle all ${total} again. Do this when the database is back. Each is settled once or aborted, never twice.`}
        run={async () => redrive.mutateAsync({ input: { all: true } })}
        done="Workers try them again."
      />
    </Can>
  );
}
