import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { RefreshCw } from 'lucide-react';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { CountCell, IdCell, None, TimeCell } from '../../kit/cells';
import { Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { PageTitle } from '../../kit/page-title';
import { TablePanel } from '../../kit/table-panel';
import { StatusBadge, type Tone } from '../../kit/status-badge';
import { ReconciliationRuns } from './reconciliation-runs';
import { ReconciliationDocument, type ReconciliationQuery } from './operations.gql';

const EVERY_MS = 5000;

type Report = ReconciliationQuery['reconciliationReport'];
type Verdict = Report['invariants'][number]['verdict'];

const TONES: Readonly<Record<Verdict, Tone>> = { HOLDS: 'good', BROKEN: 'bad', NOT_CHECKED: 'idle' };

/** Redis compared with the database: what differs, what it means, and what to do. */
export function ReconciliationPage() {
  const query = useOperation(ReconciliationDocument, {}, EVERY_MS);
  const report = query.data?.reconciliationReport;
  return (
    <Stack gap="sm">
      <PageTitle
        title="Reconciliation"
        actions={
          <Button
            variant="default"
            leftSection={<RefreshCw size={16} aria-hidden />}
            loading={report?.isRunning === true}
            onClick={() => void query.refetch()}
          >
            Compare again
          </Button>
        }
      />
      {query.isError && (
        <Alert color="red" title="The report could not be read" role="alert">
          {messageOf(query.error)}
        </Alert>
      )}
      {report !== undefined && <ReportView report={report} />}
      <ReconciliationRuns />
    </Stack>
  );
}

function ReportView({ report }: { readonly report: Report }) {
  return (
    <>
      <Facts
        title="Verdict"
        facts={[
          ['Verdict', <StatusBadge value={report.verdict} />],
          ['Started', <TimeCell value={report.startedAt} />],
          ['Took', report.tookMs === null ? <None says="still running" /> : `${report.tookMs} ms`],
        ]}
      />
      {report.checks.map((check) => (
        <Drift key={`${check.kind}-${check.holder}`} check={check} />
      ))}
      <TablePanel
        title="Invariants"
        heads={['Invariant', 'States', 'Verdict', 'Note']}
        rows={report.invariants.map(({ invariant, states, verdict, note }) => ({
          key: invariant,
          cells: [invariant, states, <StatusBadge value={verdict} tone={TONES[verdict]} />, note ?? ''],
        }))}
      />
    </>
  );
}

function Drift({ check }: { readonly check: Report['checks'][number] }) {
  const { kind, holder, invariant, count, means, remedy, sampleIds } = check;
  return (
    <Alert color="red" title={labelOf(kind)}>
      <Stack gap="xs">
        <Text size="sm">{means}</Text>
        <Text size="sm">
          <strong>What to do:</strong> {remedy}
        </Text>
        <Group gap="xs">
          <Text size="sm">
            {invariant}, in the {labelOf(holder).toLowerCase()}: <CountCell value={count} /> found, such as
          </Text>
          {sampleIds.map((id) => (
            <IdCell key={id} value={id} />
          ))}
        </Group>
      </Stack>
    </Alert>
  );
}
