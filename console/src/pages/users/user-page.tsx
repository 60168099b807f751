import { Group } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { DetailPage, Facts } from '../../kit/detail-page';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { DevicesPanel } from './devices-panel';
import { GiveButtons } from './give-forms';
import { HoldingsPanels } from './holdings-panels';
import { TagsButton } from './tags-form';
import { UpdateUserDocument, UserDocument, type UserRowFragment } from './users.gql';

const route = getRouteApi('/shell/users/$id');

/** One user with everything that the user has. */
export function UserPage() {
  const { id } = route.useParams();
  const query = useOperation(UserDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ user }) => user}
      title={({ externalId }) => externalId}
      back={{ to: '/users', label: 'Users' }}
      actions={(user) => (
        <Can permission="CHANGE">
          <Group gap="xs">
            <GiveButtons userId={user.id} accounts={query.data?.accounts.items ?? []} />
            <TagsButton user={user} />
            <SwitchButton user={user} />
          </Group>
        </Can>
      )}
    >
      {(user) => (
        <>
          <Who user={user} />
          {query.data !== undefined && <HoldingsPanels holdings={query.data} />}
          {query.data !== undefined && <DevicesPanel devices={query.data.devices.items} />}
        </>
      )}
    </DetailPage>
  );
}

function Who({ user: { id, externalId, status, tags, createdAt } }: { readonly user: UserRowFragment }) {
  return (
    <Facts
      title="User"
      facts={[
        ['Your own id', externalId],
        ['Id', <IdCell value={id} />],
        ['Status', <StatusBadge value={status} />],
        ['Tags', tags.length === 0 ? <None /> : tags.join(', ')],
        ['Created', <TimeCell value={createdAt} />],
        [
          'Look at',
          <Group gap="sm">
            <TextLink to="/redemptions" search={{ user: externalId }} size="sm">
              Redemptions
            </TextLink>
            <TextLink to="/orders" search={{ user: externalId }} size="sm">
              Orders
            </TextLink>
          </Group>,
        ],
      ]}
    />
  );
}

function SwitchButton({ user: { id, externalId, status, version } }: { readonly user: UserRowFragment }) {
  const update = useAction(UpdateUserDocument);
  const isActive = status === 'ACTIVE';
  return (
    <ConfirmAction
      label={isActive ? 'Disable' : 'Enable'}
      says={
        isActive
          ? `${externalId} can no longer redeem, order or spend, and all sockets of the user are closed within a second. Nothing that the user has is lost.`
          : `${externalId} can redeem, order and spend again.`
      }
      isDangerous={isActive}
      run={async () =>
        update.mutateAsync({
          input: { userId: id, status: isActive ? 'DISABLED' : 'ACTIVE', expectedVersion: version },
        })
      }
      done={isActive ? 'The user is disabled.' : 'The user is enabled.'}
    />
  );
}
