import { Kbd, UnstyledButton } from '@mantine/core';
import { Search } from 'lucide-react';
import classes from './shell.module.css';

export function JumpButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <UnstyledButton
      className={classes['jump']}
      onClick={onClick}
      visibleFrom="xs"
      aria-keyshortcuts="Control+K"
    >
      <Search size={14} aria-hidden />
      <span>Jump to…</span>
      <Kbd size="xs">Ctrl K</Kbd>
    </UnstyledButton>
  );
}
