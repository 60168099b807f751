import { ActionIcon, Group, Text } from '@mantine/core';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Operation } from '../api/operation';
import { useOperation } from '../api/queries';
import { countText } from './format';
import type { ListAnswer } from './list-page';
import { TablePanel } from './table-panel';

const SIZE = 20;

interface PagedPanelProps<Data, Row, Given extends object> {
  readonly title: string;
  readonly operation: Operation<
    Data,
    Given & { readonly size?: number | null; readonly after?: string | null }
  >;
  /** The variables apart from the page. */
  readonly given: Given;
  /** The list in the answer. */
  readonly list: (data: Data) => ListAnswer<Row> | null;
  readonly heads: readonly string[];
  readonly row: (row: Row) => { readonly key: string; readonly cells: readonly ReactNode[] };
  readonly everyMs?: number;
  readonly empty?: string;
  readonly aside?: ReactNode;
}

/** A list within a detail page, page by page from the server. */
export function PagedPanel<Data, Row, Given extends object>(props: PagedPanelProps<Data, Row, Given>) {
  const { title, operation, given, list, heads, row, everyMs, empty, aside } = props;
  /** What each page up to the shown one follows. */
  const [behind, setBehind] = useState<readonly (string | null)[]>([null]);
  const { data } = useOperation(operation, { ...given, size: SIZE, after: behind.at(-1) ?? null }, everyMs);
  const answer = data === undefined ? null : list(data);
  const { total = 0, items = [], next = null } = answer ?? {};
  const first = (behind.length - 1) * SIZE;
  return (
    <TablePanel
      title={title}
      heads={heads}
      rows={items.map(row)}
      {...(empty !== undefined && { empty: answer === null ? 'Loading …' : empty })}
      aside={
        <Group gap="xs" wrap="nowrap">
          {aside}
          <Text size="sm" c="dimmed" role="status">
            {items.length === 0
              ? ''
              : `${countText(first + 1)}–${countText(first + items.length)} of ${countText(total)}`}
          </Text>
          {(behind.length > 1 || next !== null) && (
            <>
              <ActionIcon
                variant="default"
                aria-label={`Previous page of ${title}`}
                disabled={behind.length === 1}
                onClick={() => setBehind(behind.slice(0, -1))}
              >
                <ChevronLeft size={16} aria-hidden />
              </ActionIcon>
              <ActionIcon
                variant="default"
                aria-label={`Next page of ${title}`}
                disabled={next === null}
                onClick={() => setBehind([...behind, next])}
              >
                <ChevronRight size={16} aria-hidden />
              </ActionIcon>
            </>
          )}
        </Group>
      }
    />
  );
}
