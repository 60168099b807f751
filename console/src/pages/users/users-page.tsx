import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables, timeOrderOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { UsersDocument, type UserRowFragment } from './users.gql';

const route = getRouteApi('/shell/users');

const columns: readonly Column<UserRowFragment>[] = [
  {
    title: 'User',
    cell: ({ id, externalId }) => (
      <TextLink to="/users/$id" params={{ id }} size="sm" fw={600}>
        {externalId}
      </TextLink>
    ),
  },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
  { title: 'Tags', cell: ({ tags }) => (tags.length === 0 ? <None /> : tags.join(', ')) },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'Created', sort: 'time', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Users of the tenant. */
export function UsersPage() {
  const { prefix, tag, status, ...search } = route.useSearch();
  const query = useOperation(UsersDocument, {
    ...pageVariables(search),
    ...timeOrderOf(search),
    filter: {
      externalIdPrefix: prefix ?? null,
      tags: tag === undefined ? null : [tag],
      status: status ?? null,
    },
  });
  return (
    <ListPage
      title="Users"
      query={query}
      list={({ users }) => users}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="prefix" label="Your own id begins with" />
          <TextFilter name="tag" label="Tag" />
          <ChoiceFilter name="status" label="Status" values={['ACTIVE', 'DISABLED']} />
        </>
      }
      empty="No user fits. A user appears with the first token that a partner or a device gets."
    />
  );
}
