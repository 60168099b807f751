import { Alert, Button, Checkbox, Group, LoadingOverlay, Stack, Text } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messageOf } from '../api/failure';
import { ListFooter } from './list-footer';
import { SortableTitle } from './sortable-title';
import { PageTitle } from './page-title';
import classes from './list-page.module.css';
import type { ListSearch } from './search';

/** One page of a list, as the server answers it. */
export interface ListAnswer<Row> {
  readonly total: number;
  readonly items: readonly Row[];
  readonly next?: string | null;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  readonly align?: 'end';
  /** The name by which the server sorts; without it the column cannot be sorted. */
  readonly sort?: string;
}

export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly onChange: (ids: ReadonlySet<string>) => void;
}

interface ListPageProps<Row extends { readonly id: string }, Data> {
  readonly title: string;
  readonly query: UseQueryResult<Data>;
  /** The list in the answer. */
  readonly list: (data: Data) => ListAnswer<Row>;
  readonly search: ListSearch;
  readonly columns: readonly Column<Row>[];
  /** Buttons beside the title. */
  readonly actions?: ReactNode;
  readonly filters?: ReactNode;
  /** What an empty list says: what the rows are, and how the first one comes about. */
  readonly empty: ReactNode;
  readonly selection?: Selection;
}

/** A list of rows: page by page from the server, with everything about it in the address. */
export function ListPage<Row extends { readonly id: string }, Data>(props: ListPageProps<Row, Data>) {
  const { title, query, list, search, actions, filters } = props;
  const answer = query.data === undefined ? null : list(query.data);
  return (
    <Stack gap="sm">
      <PageTitle title={title} actions={actions} />
      {filters !== undefined && (
        <Group gap="sm" role="search" aria-label={`Filter ${title}`}>
          {filters}
        </Group>
      )}
      {query.isError && <Failure query={query} />}
      <div className={classes['frame']}>
        <LoadingOverlay visible={query.isFetching && query.isPlaceholderData} overlayProps={{ blur: 0 }} />
        <div className={classes['scroll']}>
          <Table {...props} rows={answer?.items ?? null} />
        </div>
        {answer !== null && <ListFooter answer={answer} search={search} />}
      </div>
    </Stack>
  );
}

function Table<Row extends { readonly id: string }, Data>(
  props: ListPageProps<Row, Data> & { readonly rows: readonly Row[] | null },
) {
  const { title, columns, rows, empty, search, selection, query } = props;
  return (
    <table className={classes['table']} aria-label={title} aria-busy={query.isFetching}>
      <thead>
        <tr>
          {selection !== undefined && (
            <th scope="col" className={classes['check']}>
              <SelectAll rows={rows ?? []} selection={selection} />
            </th>
          )}
          {columns.map((column) => (
            <SortableTitle key={column.title} {...column} search={search} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows?.map((row) => (
          <tr key={row.id} data-selected={selection?.ids.has(row.id)}>
            {selection !== undefined && (
              <td className={classes['check']}>
                <SelectOne id={row.id} selection={selection} />
              </td>
            )}
            {columns.map(({ title: name, cell, align }) => (
              <td key={name} data-align={align}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
        {rows?.length === 0 && (
          <tr>
            <td colSpan={columns.length + (selection === undefined ? 0 : 1)} className={classes['empty']}>
              {empty}
            </td>
          </tr>
        )}
        {rows === null && !query.isError && (
          <tr>
            <td colSpan={columns.length} className={classes['empty']}>
              Loading …
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Failure({ query }: { readonly query: UseQueryResult }) {
  return (
    <Alert color="red" title="The list could not be read" role="alert">
      <Text size="sm">{messageOf(query.error)}</Text>
      <Button mt="sm" size="xs" variant="default" onClick={() => void query.refetch()}>
        Try again
      </Button>
    </Alert>
  );
}

function SelectAll({
  rows,
  selection,
}: {
  readonly rows: readonly { readonly id: string }[];
  readonly selection: Selection;
}) {
  const { ids, onChange } = selection;
  const isAll = rows.length > 0 && rows.every(({ id }) => ids.has(id));
  return (
    <Checkbox
      size="xs"
      aria-label="Select all rows of this page"
      checked={isAll}
      indeterminate={!isAll && rows.some(({ id }) => ids.has(id))}
      onChange={() => onChange(isAll ? new Set() : new Set(rows.map(({ id }) => id)))}
    />
  );
}

function SelectOne({
  id,
  selection: { ids, onChange },
}: {
  readonly id: string;
  readonly selection: Selection;
}) {
  const toggle = (): void => {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return <Checkbox size="xs" aria-label={`Select ${id}`} checked={ids.has(id)} onChange={toggle} />;
}
