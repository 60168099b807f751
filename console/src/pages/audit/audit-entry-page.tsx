import { Code } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useOperation } from '../../api/queries';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { TablePanel } from '../../kit/table-panel';
import { AuditEntryDocument, type AuditEntryQuery } from './audit.gql';

const route = getRouteApi('/shell/audit-log/$id');

type Entry = NonNullable<AuditEntryQuery['auditEntry']>;
type Change = Entry['changes'][number];

/** One change with its values before and after. */
export function AuditEntryPage() {
  const { id } = route.useParams();
  const query = useOperation(AuditEntryDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ auditEntry }) => auditEntry}
      title={({ operation }) => operation}
      back={{ to: '/audit-log', label: 'Audit log' }}
    >
      {(entry) => (
        <>
          <Facts title="Who and when" facts={factsOf(entry)} />
          <Panel title="Input">
            {entry.input === null ? <None says="not kept" /> : <Json value={entry.input} />}
          </Panel>
          {entry.changes.map((change) => (
            <TablePanel
              key={`${change.table} ${change.rowId}`}
              title={`${labelOf(change.table)} ${change.rowId}`}
              heads={['Column', 'Before', 'After']}
              rows={rowsOf(change)}
              empty="No column was changed."
            />
          ))}
        </>
      )}
    </DetailPage>
  );
}

function factsOf(entry: Entry): readonly (readonly [string, ReactNode])[] {
  return [
    ['When', <TimeCell value={entry.createdAt} />],
    ['Who', entry.actorId],
    ['As', labelOf(entry.actorRole ?? entry.actorKind)],
    ['From', entry.ip ?? <None says="this server" />],
    ['Kind of object', labelOf(entry.targetType)],
    ['Object', <IdCell value={entry.targetId} />],
    ['Request', entry.requestId === null ? <None /> : <IdCell value={entry.requestId} />],
    ['Digest', <IdCell value={entry.digest} />],
    ['Digest of the entry before', <IdCell value={entry.previous} />],
  ];
}

function rowsOf({ before, after }: Change) {
  const [was, is] = [asRecord(before), asRecord(after)];
  const columns = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return columns.map((column) => ({
    key: column,
    cells: [column, <Json value={was[column]} />, <Json value={is[column]} />],
  }));
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

function Json({ value }: { readonly value: unknown }) {
  if (value === undefined) return <None />;
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return <Code style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</Code>;
}
