import { Button, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { RotateCcw } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { ChoiceFilter } from '../../kit/filters';
import { FormModal } from '../../kit/form-modal';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { DELIVERY_STATUSES } from './webhook-terms';
import {
  ReplayWebhookDocument,
  ResendWebhookDeliveryDocument,
  WebhookDeliveriesDocument,
  type WebhookDeliveriesQuery,
} from './webhooks.gql';

const route = getRouteApi('/shell/webhooks/$id');

type Row = WebhookDeliveriesQuery['webhookDeliveries']['items'][number];

const columns: readonly Column<Row>[] = [
  { title: 'Queued', cell: ({ queuedAt }) => <TimeCell value={queuedAt} /> },
  { title: 'Event', cell: ({ eventType }) => eventType },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Attempts', align: 'end', cell: ({ attempts }) => <CountCell value={attempts} /> },
  { title: 'Answer', cell: ({ responseStatus }) => responseStatus ?? <None says="none" /> },
  { title: 'Failure', cell: ({ failure }) => failure ?? <None /> },
  { title: 'Last attempt', cell: ({ attemptedAt }) => <TimeCell value={attemptedAt} /> },
  {
    title: 'Next attempt',
    cell: ({ nextAttemptAt }) => (nextAttemptAt === null ? <None /> : <TimeCell value={nextAttemptAt} />),
  },
  { title: 'Cursor', cell: ({ cursor }) => <IdCell value={cursor} /> },
  { title: '', align: 'end', cell: (row) => <Resend row={row} /> },
];

/** The deliveries of one webhook. */
export function DeliveriesPage() {
  const { id: webhookId } = route.useParams();
  const { status, ...search } = route.useSearch();
  const filter = { webhookId, status: status ?? null };
  const query = useOperation(WebhookDeliveriesDocument, { ...pageVariables(search), filter });
  const [isReplaying, { open, close }] = useDisclosure();
  return (
    <>
      <ListPage
        title="Deliveries"
        query={query}
        list={({ webhookDeliveries }) => webhookDeliveries}
        search={search}
        columns={columns}
        filters={<ChoiceFilter name="status" label="Status" values={DELIVERY_STATUSES} />}
        empty="No delivery fits. One is queued for each event within a second of its commit."
        actions={
          <Can permission="CHANGE">
            <Button variant="default" leftSection={<RotateCcw size={16} aria-hidden />} onClick={open}>
              Replay
            </Button>
          </Can>
        }
      />
      {isReplaying && <ReplayForm webhookId={webhookId} onClose={close} />}
    </>
  );
}

function Resend({ row: { id: deliveryId, eventType, cursor } }: { readonly row: Row }) {
  const resend = useAction(ResendWebhookDeliveryDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Resend"
        name={`Resend ${eventType} ${cursor}`}
        says="The event is sent once more, at once, with the same webhook-id. Receivers that go by it handle it once."
        run={async () => resend.mutateAsync({ input: { deliveryId } })}
        done="The event is sent again."
        button={{ size: 'xs' }}
      />
    </Can>
  );
}

function ReplayForm({ webhookId, onClose }: { readonly webhookId: string; readonly onClose: () => void }) {
  const replay = useAction(ReplayWebhookDocument);
  return (
    <FormModal
      title="Replay events"
      initialValues={{ after: '0' }}
      submit={async (values) => replay.mutateAsync({ input: { ...values, webhookId } })}
      submitLabel="Replay"
      done="The events are sent again."
      onClose={onClose}
    >
      {(form) => (
        <TextInput
          label="After the cursor"
          description="All kept events behind this cursor are sent again, delivered ones included. 0 is before the first."
          required
          data-autofocus
          {...form.getInputProps('after')}
        />
      )}
    </FormModal>
  );
}
