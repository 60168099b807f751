import { Group } from '@mantine/core';
import { useAction } from '../../api/queries';
import { Can } from '../../kit/can';
import { ConfirmAction } from '../../kit/confirm-action';
import {
  DeleteWebhookDocument,
  SendTestEventDocument,
  UpdateWebhookDocument,
  type WebhookRowFragment,
} from './webhooks.gql';

interface WebhookActionsProps {
  readonly webhook: WebhookRowFragment;
  readonly onSecret: (secret: string) => void;
}

export function WebhookActions(props: WebhookActionsProps) {
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <SendTest {...props} />
        <NewSecret {...props} />
        <Switch {...props} />
        <Delete {...props} />
      </Group>
    </Can>
  );
}

function SendTest({ webhook: { id: webhookId, url, status } }: WebhookActionsProps) {
  const send = useAction(SendTestEventDocument);
  if (status !== 'ENABLED') return null;
  return (
    <ConfirmAction
      label="Test"
      name={`Test ${url}`}
      says={`An event of the type webhook.test is sent to ${url}, and to no other webhook.`}
      run={async () => send.mutateAsync({ input: { webhookId } })}
      done="The test is on its way; the deliveries show what came of it."
      button={{ size: 'xs' }}
    />
  );
}

function NewSecret({ webhook: { id: webhookId, url, version }, onSecret }: WebhookActionsProps) {
  const update = useAction(UpdateWebhookDocument);
  const run = async (): Promise<void> => {
    const { secret } = await update.mutateAsync({
      input: { webhookId, rotateSecret: true, expectedVersion: version },
    });
    if (secret !== null) onSecret(secret);
  };
  return (
    <ConfirmAction
      label="New secret"
      name={`New secret for ${url}`}
      says="Events are signed by the new secret at once, and by the old one, too, for 24 hours."
      run={run}
      done="The webhook has a new secret."
      button={{ size: 'xs' }}
    />
  );
}

function Switch({ webhook: { id: webhookId, url, status, version } }: WebhookActionsProps) {
  const update = useAction(UpdateWebhookDocument);
  const enabled = status !== 'ENABLED';
  const label = enabled ? 'Enable' : 'Disable';
  return (
    <ConfirmAction
      label={label}
      name={`${label} ${url}`}
      says={
        enabled
          ? 'Events from now on are sent. Earlier ones can be sent by a replay.'
          : 'No event is sent any more, and what is not delivered yet is given up.'
      }
      isDangerous={!enabled}
      run={async () => update.mutateAsync({ input: { webhookId, enabled, expectedVersion: version } })}
      done={enabled ? 'The webhook is enabled.' : 'The webhook is disabled.'}
      button={{ size: 'xs' }}
    />
  );
}

function Delete({ webhook: { id: webhookId, url } }: WebhookActionsProps) {
  const remove = useAction(DeleteWebhookDocument);
  return (
    <ConfirmAction
      label="Delete"
      name={`Delete ${url}`}
      says={`${url} and the list of its deliveries are deleted. This cannot be undone.`}
      isDangerous
      run={async () => remove.mutateAsync({ input: { webhookId } })}
      done="The webhook is deleted."
      button={{ size: 'xs' }}
    />
  );
}
