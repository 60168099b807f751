import { Group, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';

export function PageTitle({ title, actions }: { readonly title: string; readonly actions?: ReactNode }) {
  useDocumentTitle(`${title} – Redeemkit`);
  return (
    <Group justify="space-between" mih={36}>
      <Title order={1} size="h3">
        {title}
      </Title>
      <Group gap="xs">{actions}</Group>
    </Group>
  );
}
