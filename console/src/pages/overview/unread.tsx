import { Skeleton, Text } from '@mantine/core';

/** In the place of what is not there: being read, or in a store that does not answer. */
export function Unread({ isLoading }: { readonly isLoading: boolean }) {
  return isLoading ? (
    <Skeleton height={48} aria-label="Loading" />
  ) : (
    <Text size="sm" c="dimmed">
      The store does not answer at the moment.
    </Text>
  );
}
