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
import { EraseUserDocument, UpdateUserDocument, UserDocument, type UserRowFragment } from './users.gql';

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
      actions={(user) =>
        user.erasedAt === null && (
          <Group gap="xs">
            <Can permission="CHANGE">
              <GiveButtons userId={user.id} accounts={query.data?.accounts.items ?? []} />
              <TagsButton user={user} />
              <SwitchButton user={user} />
            </Can>
            <Can permission="CHANGE_STAFF">
              <EraseButton user={user} />
            </Can>
          </Group>
        )
      }
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

function Who({
  user: { id, externalId, status, tags, createdAt, erasedAt },
}: {
  readonly user: UserRowFragment;
}) {
  return (
    <Facts
      title="User"
      facts={[
        ['Your own id', externalId],
        ['Id', <IdCell value={id} />],
        ['Status', <StatusBadge value={status} />],
        ['Tags', tags.length === 0 ? <None /> : tags.join(', ')],
        ['Created', <TimeCell value={createdAt} />],
        ['Personal data erased', erasedAt === null ? 'no' : <TimeCell value={erasedAt} />],
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

/** For owners. The id has to be typed, because this cannot be undone. */
function EraseButton({ user: { id, externalId } }: { readonly user: UserRowFragment }) {
  const erase = useAction(EraseUserDocument);
  return (
    <ConfirmAction
      label="Erase"
      says="The id in your own system, tags, devices and refused attempts of the user are erased, and the user is signed out everywhere. Redemptions, orders and entries of money stay, without a person. Whatever the user still holds is lost. This cannot be undone."
      typed={externalId}
      isDangerous
      run={async () => erase.mutateAsync({ input: { userId: id, giveUpHoldings: true } })}
      done="The personal data of the user are erased."
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
