import { ActionIcon, CopyButton as Copying } from '@mantine/core';
import { Check, Copy } from 'lucide-react';

export function CopyButton({ value, label = 'Copy' }: { readonly value: string; readonly label?: string }) {
  return (
    <Copying value={value} timeout={1500}>
      {({ copied, copy }) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          size="xs"
          aria-label={copied ? 'Copied' : label}
          onClick={copy}
        >
          {copied ? <Check size={12} aria-hidden /> : <Copy size={12} aria-hidden />}
        </ActionIcon>
      )}
    </Copying>
  );
}
