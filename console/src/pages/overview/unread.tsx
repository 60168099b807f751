import { Text } from '@mantine/core';
import { Loading } from '../../kit/loading';

/** In the place of what is not there: being read, or in a store that does not answer. */
export function Unread({ isLoading }: { readonly isLoading: boolean }) {
  return isLoading ? (
    <Loading height={48} />
  ) : (
    <Text size="sm" c="dimmed">
      The store does not answer at the moment.
    </Text>
  );
}
