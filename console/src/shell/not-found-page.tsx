import { Container, Text, Title } from '@mantine/core';
import { TextLink } from '../kit/text-link';

export function NotFoundPage() {
  return (
    <Container size="xs" py={80}>
      <Title order={1} size="h3">
        There is no such page
      </Title>
      <Text mt="sm">
        The address may be mistyped, or the page was removed.{' '}
        <TextLink to="/">Go to the first page.</TextLink>
      </Text>
    </Container>
  );
}
