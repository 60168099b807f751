import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { CopyButton } from '../../kit/copy-button';
import { timeText } from '../../kit/format';

export interface Invitation {
  readonly email: string;
  readonly token: string;
  readonly expiresAt: string | null;
}

/** The link of an invitation; the server does not show it again. */
export function InvitationLink({
  invitation: { email, token, expiresAt },
  onClose,
}: {
  readonly invitation: Invitation;
  readonly onClose: () => void;
}) {
  const link = `${window.location.origin}/console/invitation#token=${token}`;
  return (
    <Modal opened onClose={onClose} title="Invitation link" closeOnClickOutside={false}>
      <Stack gap="sm">
        <Text size="sm">
          Send this link to {email}. It works once
          {expiresAt === null ? '' : `, until ${timeText(expiresAt)}`}, and is not shown again.
        </Text>
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
            {link}
          </Text>
          <CopyButton value={link} label="Copy the link" />
        </Group>
        <Group justify="flex-end">
          <Button onClick={onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
