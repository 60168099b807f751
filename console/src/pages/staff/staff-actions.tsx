import { Button, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useAction } from '../../api/queries';
import { TextLink } from '../../kit/text-link';
import { ConfirmAction } from '../../kit/confirm-action';
import type { Invitation } from './invitation-link';
import { UpdateStaffForm } from './staff-forms';
import { ResetStaffDocument, UpdateStaffDocument, type StaffRowFragment } from './staff.gql';

interface StaffActionsProps {
  readonly staff: StaffRowFragment;
  readonly onInvitation: (invitation: Invitation) => void;
}

/** What an owner does with one account. */
export function StaffActions({ staff, onInvitation }: StaffActionsProps) {
  const [isEditing, { open, close }] = useDisclosure();
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <Button size="xs" variant="default" aria-label={`Edit ${staff.name}`} onClick={open}>
        Edit
      </Button>
      <TextLink to="/sessions" search={{ staffId: staff.id }} size="sm">
        Sessions
      </TextLink>
      <Reset staff={staff} onInvitation={onInvitation} />
      <Switch staff={staff} />
      {isEditing && <UpdateStaffForm staff={staff} onClose={close} />}
    </Group>
  );
}

function Reset({ staff: { id: staffId, name, email }, onInvitation }: StaffActionsProps) {
  const reset = useAction(ResetStaffDocument);
  const run = async (): Promise<void> => {
    const { invitationToken, expiresAt } = await reset.mutateAsync({ input: { staffId } });
    if (invitationToken !== null) onInvitation({ email, token: invitationToken, expiresAt });
  };
  return (
    <ConfirmAction
      label="New invitation"
      says={`The password and the second factor of ${name} stop working, and all sessions of the account end. You get a link by which ${name} chooses a new password.`}
      isDangerous
      run={run}
      done={`${name} has a new invitation.`}
      name={`New invitation for ${name}`}
      button={{ size: 'xs' }}
    />
  );
}

function Switch({ staff: { id: staffId, name, status, version } }: Pick<StaffActionsProps, 'staff'>) {
  const update = useAction(UpdateStaffDocument);
  const isDisabled = status === 'DISABLED';
  const run = async (): Promise<unknown> =>
    update.mutateAsync({
      input: { staffId, expectedVersion: version, status: isDisabled ? 'ACTIVE' : 'DISABLED' },
    });
  return (
    <ConfirmAction
      label={isDisabled ? 'Enable' : 'Disable'}
      says={
        isDisabled
          ? `${name} can sign in again.`
          : `${name} can no longer sign in, and all sessions of the account end at once. The account and its history stay.`
      }
      isDangerous={!isDisabled}
      run={run}
      done={isDisabled ? `${name} is enabled.` : `${name} is disabled.`}
      name={`${isDisabled ? 'Enable' : 'Disable'} ${name}`}
      button={{ size: 'xs' }}
    />
  );
}
