import { Skeleton } from '@mantine/core';

/** Takes the place of what is yet to come; screen readers say so. */
export const Loading = ({ height }: { readonly height: number }) => (
  <Skeleton height={height} role="status" aria-label="Loading" />
);
