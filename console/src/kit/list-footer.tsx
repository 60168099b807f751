import { ActionIcon, Group, NativeSelect } from '@mantine/core';
import { ChevronFirst, ChevronLeft, ChevronRight } from 'lucide-react';
import { countText } from './format';
import classes from './list-page.module.css';
import { PAGE_SIZES, pageOf, sizeOf, type ListSearch } from './search';
import { useSearchChange } from './use-search-change';

interface ListFooterProps {
  readonly answer: {
    readonly total: number;
    readonly items: readonly unknown[];
    readonly next?: string | null;
  };
  readonly search: ListSearch;
}

/** Where the page stands in the list, and the way to others. The next one follows the last row, whatever was added. */
export function ListFooter({ answer, search }: ListFooterProps) {
  const change = useSearchChange();
  const [page, size] = [pageOf(search), sizeOf(search)];
  const { total, items, next = null } = answer;
  const first = (page - 1) * size;
  const hasNext = next !== null || first + items.length < total;
  const go = (to: number, after?: string | null): void =>
    change({ page: to === 1 ? undefined : to, after: after ?? undefined }, 'KEEPS_PAGE');
  return (
    <div className={classes['footer']}>
      <span role="status">
        {items.length === 0
          ? `None of ${countText(total)}`
          : `${countText(first + 1)}–${countText(first + items.length)} of ${countText(Math.max(total, first + items.length))}`}
      </span>
      <Group gap="xs">
        <label htmlFor="page-size">Rows per page</label>
        <NativeSelect
          id="page-size"
          size="xs"
          value={String(size)}
          data={PAGE_SIZES.map(String)}
          onChange={({ currentTarget }) => change({ size: Number(currentTarget.value) })}
        />
        <ActionIcon variant="default" aria-label="First page" disabled={page === 1} onClick={() => go(1)}>
          <ChevronFirst size={16} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label="Previous page"
          disabled={page === 1}
          onClick={() => go(page - 1)}
        >
          <ChevronLeft size={16} aria-hidden />
        </ActionIcon>
        <span>
          Page {countText(page)} of {countText(Math.max(1, Math.ceil(total / size)))}
        </span>
        <ActionIcon
          variant="default"
          aria-label="Next page"
          disabled={!hasNext}
          onClick={() => go(page + 1, next)}
        >
          <ChevronRight size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </div>
  );
}
