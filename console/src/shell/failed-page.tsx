import { Button, Container, Text, Title } from '@mantine/core';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { messageOf, RequestFailure } from '../api/failure';

/** In the place of a page that could not be shown. */
export function FailedPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = (): void => {
    reset();
    void router.invalidate();
  };
  return (
    <Container size="xs" py={80} role="alert">
      <Title order={1} size="h3">
        This page could not be shown
      </Title>
      <Text mt="sm">{messageOf(error)}</Text>
      {error instanceof RequestFailure && error.requestId !== null && (
        <Text mt="xs" size="sm" c="dimmed">
          Request {error.requestId}
        </Text>
      )}
      <Button mt="lg" onClick={retry}>
        Try again
      </Button>
    </Container>
  );
}
