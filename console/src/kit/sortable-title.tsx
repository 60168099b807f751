import { UnstyledButton } from '@mantine/core';
import { ArrowDown, ArrowUp, ChevronsUpDown } from 'lucide-react';
import classes from './list-page.module.css';
import type { ListSearch } from './search';
import { useSearchChange } from './use-search-change';

interface SortableTitleProps {
  readonly title: string;
  readonly align?: 'end';
  readonly sort?: string;
  readonly search: ListSearch;
}

/** The head of a column; of one that the server sorts it is a button: ascending, descending, then as before. */
export function SortableTitle({ title, align, sort, search }: SortableTitleProps) {
  const change = useSearchChange();
  if (sort === undefined)
    return (
      <th scope="col" data-align={align}>
        {title}
      </th>
    );
  const [isUp, isDown] = [search.sort === sort, search.sort === `-${sort}`];
  const Icon = isUp ? ArrowUp : isDown ? ArrowDown : ChevronsUpDown;
  const next = isUp ? `-${sort}` : isDown ? undefined : sort;
  return (
    <th scope="col" data-align={align} aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <UnstyledButton className={classes['sort']} onClick={() => change({ sort: next })}>
        {title}
        <Icon size={14} aria-hidden />
      </UnstyledButton>
    </th>
  );
}
