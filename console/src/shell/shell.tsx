import { AppShell, Burger, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { session } from '../api/session';
import { useViewer } from '../api/viewer';
import { ColorSchemeButton } from './color-scheme-button';
import { LiveIndicator } from './live-indicator';
import logo from './logo.svg';
import { JumpButton } from './jump-button';
import classes from './shell.module.css';
import { Sidebar } from './sidebar';
import { UserMenu } from './user-menu';

const Palette = lazy(async () => import('./palette'));

/** The frame of all pages: header, sidebar, and the page. */
export function Shell() {
  const viewer = useViewer();
  const [isMenuOpen, menu] = useDisclosure();
  const [isJumping, setJumping] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(menu.close, [path, menu.close]);
  useReturnToSignIn();
  useJumpKey(() => setJumping(true));
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding="md"
    >
      <a href="#main" className={classes['skip']}>
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isMenuOpen} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <img src={logo} alt="" width={24} height={24} />
            <Text fw={650}>Redeemkit</Text>
            <Text className={classes['tenant']} title={viewer.tenantName ?? viewer.tenantId}>
              {viewer.tenantId}
            </Text>
          </Group>
          <JumpButton onClick={() => setJumping(true)} />
          <Group gap="xs" wrap="nowrap">
            <LiveIndicator />
            <ColorSchemeButton />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Sidebar />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
      <Suspense>{isJumping && <Palette onClose={() => setJumping(false)} />}</Suspense>
    </AppShell>
  );
}

/** A session that has ended leads to the sign-in, and from there back to this page. */
function useReturnToSignIn(): void {
  const navigate = useNavigate();
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  const href = useRouterState({ select: ({ location }) => location.href });
  useEffect(() => {
    if (state === 'SIGNED_OUT') void navigate({ to: '/sign-in', search: { to: href }, replace: true });
    // The page at the moment of the end counts.
  }, [state]);
}

function useJumpKey(jump: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        jump();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
}
