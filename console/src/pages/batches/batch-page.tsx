import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { BatchActions } from './batch-actions';
import { CodeFiles } from '../codes/code-files';
import { isUnderWay, stateOf } from './batch-state';
import { BatchDocument, type BatchQuery } from './batches.gql';
import { ImportPanel } from './import-panel';
import { ProgressPanel } from './progress-panel';

/** A batch or an import that a worker makes move on. */
const EVERY_MS = 1000;

const route = getRouteApi('/shell/batches/$id');

export type Batch = NonNullable<BatchQuery['batch']>;

/** One batch of codes. */
export function BatchPage() {
  const { id } = route.useParams();
  const query = useOperation(BatchDocument, { id }, ({ batch, codeImport }) =>
    (batch !== null && isUnderWay(batch)) || codeImport?.finishedAt === null ? EVERY_MS : undefined,
  );
  const codeImport = query.data?.codeImport ?? null;
  return (
    <DetailPage
      query={query}
      row={({ batch }) => batch}
      title={(batch) => `Batch ${batch.id}`}
      back={{ to: '/batches', label: 'Batches' }}
      actions={(batch) => (
        <Can permission="CHANGE">
          {batch.status === 'READY' && <CodeFiles of={{ batchId: batch.id }} />}
          <BatchActions batch={batch} />
        </Can>
      )}
    >
      {(batch) => (
        <>
          {isUnderWay(batch) && batch.requested > 0 && <ProgressPanel batch={batch} />}
          {codeImport !== null && <ImportPanel codeImport={codeImport} />}
          <About batch={batch} />
          <Record batch={batch} />
        </>
      )}
    </DetailPage>
  );
}

function About({ batch }: { readonly batch: Batch }) {
  const { id, campaignId, campaignName, requested, generated, failure } = batch;
  return (
    <Facts
      title="Batch"
      facts={[
        ['Status', <StatusBadge value={stateOf(batch)} />],
        ['Codes asked for', <CountCell value={requested} />],
        ['Codes made', <CountCell value={generated} />],
        [
          'Campaign',
          <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm">
            {campaignName ?? campaignId}
          </TextLink>,
        ],
        ['Failure', failure === null ? <None /> : labelOf(failure)],
        [
          'Look at',
          <TextLink to="/codes" search={{ batchId: id }} size="sm">
            Codes
          </TextLink>,
        ],
      ]}
    />
  );
}

function Record({ batch }: { readonly batch: Batch }) {
  return (
    <Facts
      title="Record"
      facts={[
        ['Created', <TimeCell value={batch.createdAt} />],
        ['Begun', <TimeCell value={batch.startedAt} />],
        ['Finished', <TimeCell value={batch.finishedAt} />],
        ['Frozen', <TimeCell value={batch.frozenAt} />],
        ['Voided', <TimeCell value={batch.voidedAt} />],
        ['Activated', <TimeCell value={batch.activatedAt} />],
        ['Extended to', <TenantTimeCell value={batch.extendedTo} />],
        ['Id', <IdCell value={batch.id} />],
      ]}
    />
  );
}
