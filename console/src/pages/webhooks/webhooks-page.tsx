import { Button, TagsInput, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { None, TimeCell } from '../../kit/cells';
import { FormModal } from '../../kit/form-modal';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { SecretModal } from '../../kit/secret-modal';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { WebhookActions } from './webhook-actions';
import { CreateWebhookDocument, WebhooksDocument, type WebhookRowFragment } from './webhooks.gql';

const route = getRouteApi('/shell/webhooks');

const columns: readonly Column<WebhookRowFragment>[] = [
  {
    title: 'URL',
    cell: ({ id, url }) => (
      <TextLink to="/webhooks/$id" params={{ id }} size="sm" fw={600}>
        {url}
      </TextLink>
    ),
  },
  {
    title: 'Events',
    cell: ({ eventTypes }) => (eventTypes.length === 0 ? <None says="all" /> : eventTypes.join(', ')),
  },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  {
    title: 'Failing since',
    cell: ({ failingSince }) =>
      failingSince === null ? <None says="deliveries succeed" /> : <TimeCell value={failingSince} />,
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Where events of the tenant are sent. */
export function WebhooksPage() {
  const search = route.useSearch();
  const query = useOperation(WebhooksDocument, { ...pageVariables(search), filter: null });
  const [isCreating, { open, close }] = useDisclosure();
  const [secret, setSecret] = useState<string | null>(null);
  const actions: Column<WebhookRowFragment> = {
    title: '',
    align: 'end',
    cell: (webhook) => <WebhookActions webhook={webhook} onSecret={setSecret} />,
  };
  return (
    <>
      <ListPage
        title="Webhooks"
        query={query}
        list={({ webhooks }) => webhooks}
        search={search}
        columns={[...columns, actions]}
        empty="A webhook is a URL to which events are sent, signed. There is none yet."
        actions={
          <Can permission="CHANGE">
            <Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
              New webhook
            </Button>
          </Can>
        }
      />
      {isCreating && <CreateWebhookForm onClose={close} onSecret={setSecret} />}
      {secret !== null && (
        <SecretModal title="Secret of the webhook" secret={secret} onClose={() => setSecret(null)}>
          The receiver checks the signature of each event by it. It is not shown again.
        </SecretModal>
      )}
    </>
  );
}

function CreateWebhookForm({
  onClose,
  onSecret,
}: {
  readonly onClose: () => void;
  readonly onSecret: (secret: string) => void;
}) {
  const create = useAction(CreateWebhookDocument);
  const submit = async (input: { url: string; eventTypes: string[] }): Promise<void> => {
    const { secret } = await create.mutateAsync({ input });
    if (secret !== null) onSecret(secret);
  };
  return (
    <FormModal
      title="New webhook"
      initialValues={{ url: 'https://', eventTypes: [] }}
      submit={submit}
      submitLabel="Create webhook"
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="URL" required data-autofocus {...form.getInputProps('url')} />
          <TagsInput
            label="Events"
            description="Names such as redemption.settled. Without any, all events are sent, later ones included."
            {...form.getInputProps('eventTypes')}
          />
        </>
      )}
    </FormModal>
  );
}
