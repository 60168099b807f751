import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf } from '../../kit/search';
import { TextLink } from '../../kit/text-link';
import { AuditLogDocument, type AuditRowFragment } from './audit.gql';

const route = getRouteApi('/shell/audit-log');

const columns: readonly Column<AuditRowFragment>[] = [
  { title: 'Time', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  {
    title: 'Operation',
    cell: ({ id, operation }) => (
      <TextLink to="/audit-log/$id" params={{ id }} size="sm" fw={600}>
        {operation}
      </TextLink>
    ),
  },
  { title: 'Who', cell: ({ actorId }) => actorId },
  { title: 'As', cell: ({ actorKind, actorRole }) => labelOf(actorRole ?? actorKind) },
  { title: 'Kind of object', cell: ({ targetType }) => labelOf(targetType) },
  { title: 'Object', cell: ({ targetId }) => <IdCell value={targetId} /> },
  { title: 'From', cell: ({ ip }) => ip ?? <None says="this server" /> },
];

/** What staff, partners and operators have changed. */
export function AuditLogPage() {
  const { operation, actor, target, from, to, ...search } = route.useSearch();
  const query = useOperation(AuditLogDocument, {
    ...pageVariables(search),
    filter: {
      operation: operation ?? null,
      actorId: actor ?? null,
      targetId: target ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Audit log"
      query={query}
      list={({ auditLog }) => auditLog}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="operation" label="Operation" />
          <TextFilter name="actor" label="Id of a person or partner" />
          <TextFilter name="target" label="Id of an object" />
          <PeriodFilter />
        </>
      }
      empty="No entry fits. Each change by staff, partners and the command line is noted here."
    />
  );
}
