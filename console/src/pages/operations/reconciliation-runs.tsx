import { Group, Progress } from '@mantine/core';
import { useAction, useOperation } from '../../api/queries';
import { CanCall } from '../../kit/can';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import {
  ReconciliationRunsDocument,
  StartReconciliationDocument,
  type ReconciliationRunsQuery,
} from './operations.gql';

const EVERY_MS = 2000;

type Run = ReconciliationRunsQuery['reconciliationRuns']['items'][number];

const isOpen = ({ status }: Run): boolean => status === 'WAITING' || status === 'RUNNING';

/** Reconciliations that a worker makes, with the buttons that start one. */
export function ReconciliationRuns() {
  const { data } = useOperation(ReconciliationRunsDocument, {}, EVERY_MS);
  const runs = data?.reconciliationRuns.items ?? [];
  return (
    <TablePanel
      title="Made by a worker"
      heads={['Asked for', 'By', 'Repair', 'Status', 'Progress', 'Drifts left', 'Finished']}
      rows={runs.map((run) => ({ key: run.id, cells: cellsOf(run) }))}
      empty="No report was requested yet. A worker makes it, also where a large tenant takes longer than a request."
      aside={<Start isDisabled={runs.some(isOpen)} />}
    />
  );
}

function cellsOf({ requestedAt, requestedBy, repair, status, progress, verdict, drifts, finishedAt }: Run) {
  return [
    <TimeCell value={requestedAt} />,
    requestedBy,
    repair ? 'yes' : 'no',
    <StatusBadge value={verdict ?? status} />,
    <Progress value={progress} w={96} size="sm" aria-label={`${progress} percent are compared`} />,
    drifts === null ? <None /> : <CountCell value={drifts} />,
    finishedAt === null ? <None /> : <TimeCell value={finishedAt} />,
  ];
}

function Start({ isDisabled }: { readonly isDisabled: boolean }) {
  const start = useAction(StartReconciliationDocument);
  const button = { size: 'xs', disabled: isDisabled } as const;
  return (
    <CanCall operation="startReconciliation">
      <Group gap="xs">
        <ConfirmAction
          label="Run"
          says="A worker compares all data of the tenant, and changes nothing. It shows its progress here."
          run={async () => start.mutateAsync({ input: { repair: false } })}
          done="A worker begins within a second."
          button={button}
        />
        <ConfirmAction
          label="Run and repair"
          says="A worker compares all data of the tenant, and corrects what Redis holds by what the database says. The database is never changed."
          run={async () => start.mutateAsync({ input: { repair: true } })}
          done="A worker begins within a second."
          button={button}
        />
      </Group>
    </CanCall>
  );
}
