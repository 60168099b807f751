import { Box, Card, Center, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import logo from '../../shell/logo.svg';

/** The frame of the pages before the sign-in. */
export function Entrance({
  title,
  says,
  children,
}: {
  readonly title: string;
  readonly says: string;
  readonly children?: ReactNode;
}) {
  useDocumentTitle(`${title} – Redeemkit`);
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder shadow="sm" w={400} p="xl">
        <img src={logo} alt="" width={32} height={32} />
        <Title order={1} size="h3" mt="md">
          {title}
        </Title>
        <Text c="dimmed" size="sm" mt={4}>
          {says}
        </Text>
        <Box mt="lg">{children}</Box>
      </Card>
    </Center>
  );
}
