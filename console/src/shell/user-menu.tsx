import { Avatar, Menu, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { LogOut, UserRound } from 'lucide-react';
import { queryClient } from '../api/queries';
import { session } from '../api/session';
import { useViewer } from '../api/viewer';

export function UserMenu() {
  const { staff, staffId, role } = useViewer();
  const navigate = useNavigate();
  const name = staff?.name ?? staffId ?? '';
  const signOut = async (): Promise<void> => {
    await session.signOut();
    queryClient.clear();
    await navigate({ to: '/sign-in', search: {} });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton>
          <Avatar color="brand" variant="filled" size={30} radius="xl" aria-hidden>
            {initialsOf(name)}
          </Avatar>
          <VisuallyHidden>Account of {name}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)">
            {name}
          </Text>
          {staff?.email} · {role}
        </Menu.Label>
        <Menu.Divider />
        {staff !== null && (
          <Menu.Item component={Link} to="/account" leftSection={<UserRound size={16} aria-hidden />}>
            Password and second factor
          </Menu.Item>
        )}
        <Menu.Item leftSection={<LogOut size={16} aria-hidden />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function initialsOf(name: string): string {
  const [first = '', second = ''] = name.split(/\s+/);
  return `${first[0] ?? ''}${second[0] ?? first[1] ?? ''}`.toUpperCase();
}
