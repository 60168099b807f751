import { Group } from '@mantine/core';
import { useAction } from '../../api/queries';
import { Can } from '../../kit/can';
import { TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { SetDeviceEnabledDocument, UnbindDeviceDocument, type UserQuery } from './users.gql';

type Device = UserQuery['devices']['items'][number];

export function DevicesPanel({ devices }: { readonly devices: readonly Device[] }) {
  return (
    <TablePanel
      title="Devices"
      heads={['Device', 'System', 'Status', 'Last seen', 'Unbound', '']}
      rows={devices.map((device) => {
        const { id, identifier, shortCode, status, lastSeenAt, unboundAt, agent } = device;
        return {
          key: id,
          cells: [
            shortCode ?? identifier,
            [agent.browser, agent.system, agent.platform].filter((part) => part !== null).join(', '),
            <StatusBadge value={status} />,
            <TimeCell value={lastSeenAt} />,
            <TimeCell value={unboundAt} />,
            unboundAt === null && <Actions device={device} />,
          ],
        };
      })}
      empty="The user has signed in with no device."
    />
  );
}

function Actions({ device: { id: deviceId, identifier, status, version } }: { readonly device: Device }) {
  const unbind = useAction(UnbindDeviceDocument);
  const set = useAction(SetDeviceEnabledDocument);
  const isEnabled = status === 'ENABLED';
  const label = isEnabled ? 'Disable' : 'Enable';
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <ConfirmAction
          label={label}
          name={`${label} ${identifier}`}
          says={
            isEnabled
              ? 'The device can no longer sign in, and its session ends at once.'
              : 'The device can sign in again.'
          }
          isDangerous={isEnabled}
          run={async () =>
            set.mutateAsync({ input: { deviceId, enabled: !isEnabled, expectedVersion: version } })
          }
          done={isEnabled ? 'The device is disabled.' : 'The device is enabled.'}
          button={{ size: 'xs' }}
        />
        <ConfirmAction
          label="Unbind"
          name={`Unbind ${identifier}`}
          says="The device no longer belongs to this user, and its session ends at once. If it is the last device of a user without another sign-in, the user can no longer be reached by it."
          isDangerous
          run={async () => unbind.mutateAsync({ input: { deviceId } })}
          done="The device is unbound."
          button={{ size: 'xs' }}
        />
      </Group>
    </Can>
  );
}
