import { Alert, Button, Card, SimpleGrid, Stack, Text } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { ChevronLeft } from 'lucide-react';
import type { LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { messageOf } from '../api/failure';
import { Loading } from './loading';
import { PageTitle } from './page-title';
import { TextLink } from './text-link';

interface DetailPageProps<Row, Data> {
  readonly query: UseQueryResult<Data>;
  /** The row in the answer; null where there is none with this id. */
  readonly row: (data: Data) => Row | null;
  readonly title: (row: Row) => string;
  /** The list that this row is of. */
  readonly back: { readonly to: NonNullable<LinkProps['to']>; readonly label: string };
  readonly actions?: (row: Row) => ReactNode;
  readonly children: (row: Row) => ReactNode;
}

/** One row of a list with everything about it. */
export function DetailPage<Row, Data>({
  query,
  row,
  title,
  back,
  actions,
  children,
}: DetailPageProps<Row, Data>) {
  const found = query.data === undefined ? undefined : row(query.data);
  return (
    <Stack gap="sm">
      <TextLink to={back.to} size="sm" w="fit-content">
        <ChevronLeft size={14} aria-hidden /> {back.label}
      </TextLink>
      {query.isError && (
        <Alert color="red" title="This could not be read" role="alert">
          <Text size="sm">{messageOf(query.error)}</Text>
          <Button mt="sm" size="xs" variant="default" onClick={() => void query.refetch()}>
            Try again
          </Button>
        </Alert>
      )}
      {found === undefined && !query.isError && <Loading height={160} />}
      {found === null && (
        <>
          <PageTitle title="Not found" />
          <Text>There is nothing with this id, or it was deleted.</Text>
        </>
      )}
      {found !== undefined && found !== null && (
        <>
          <PageTitle title={title(found)} actions={actions?.(found)} />
          {children(found)}
        </>
      )}
    </Stack>
  );
}

/** A card of labels and values. */
export function Facts({
  title,
  facts,
}: {
  readonly title: string;
  readonly facts: readonly (readonly [string, ReactNode])[];
}) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Text component="h2" fw={600} size="sm" mb="sm">
        {title}
      </Text>
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" m={0}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <Text component="dt" size="xs" c="dimmed">
              {label}
            </Text>
            <Text component="dd" size="sm" m={0}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </Card>
  );
}
