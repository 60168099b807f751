import { Alert, Stack } from '@mantine/core';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { PageTitle } from '../../kit/page-title';
import { TablePanel } from '../../kit/table-panel';
import { StatusBadge } from '../../kit/status-badge';
import { HealthDocument, type HealthQuery } from './operations.gql';

const EVERY_MS = 5000;
const UNREAD = 'The database does not answer.';

type Overview = HealthQuery['overview'];

/** Stores, processes and consumers of events, as they are now. */
export function HealthPage() {
  const query = useOperation(HealthDocument, {}, EVERY_MS);
  return (
    <Stack gap="sm">
      <PageTitle title="Health" />
      {query.isError && (
        <Alert color="red" title="The health could not be read" role="alert">
          {messageOf(query.error)}
        </Alert>
      )}
      {query.data !== undefined && <Health overview={query.data.overview} />}
    </Stack>
  );
}

const count = (value: number | null) =>
  value === null ? <None says="not known" /> : <CountCell value={value} />;

function Health({ overview }: { readonly overview: Overview }) {
  return (
    <>
      <Facts
        title="What needs a person"
        facts={[
          ['Dead letters', count(overview.deadLetters)],
          ['Claims past their deadline', count(overview.overdueClaims)],
          ['Halted accounts', count(overview.haltedAccounts)],
        ]}
      />
      <Stores stores={overview.stores} />
      {overview.directory !== null && <Directory directory={overview.directory} />}
      <Processes processes={overview.processes ?? []} />
      <Consumers consumers={overview.consumers ?? []} />
      <Retention keptData={overview.keptData} />
    </>
  );
}

function Stores({ stores }: Pick<Overview, 'stores'>) {
  const rows = stores.map(({ store, isUp, answeredInMs, version }) => ({
    key: store,
    cells: [
      labelOf(store),
      <StatusBadge value={isUp ? 'UP' : 'DOWN'} tone={isUp ? 'good' : 'bad'} />,
      answeredInMs === null ? <None says="no answer" /> : `${answeredInMs} ms`,
      version ?? <None says="not known" />,
    ],
  }));
  return <TablePanel title="Stores" heads={['Store', 'State', 'Answered in', 'Version']} rows={rows} />;
}

/** The system that owns the names of tenants. */
function Directory({ directory }: { readonly directory: NonNullable<Overview['directory']> }) {
  const { breaker, checkedAt, isStale, deadLetters } = directory;
  return (
    <Facts
      title="Tenant directory"
      facts={[
        ['State', <StatusBadge value={isStale ? 'STALE' : 'UP'} tone={isStale ? 'bad' : 'good'} />],
        ['Circuit breaker', labelOf(breaker)],
        [
          'Last answer for this tenant',
          checkedAt === null ? <None says="none yet" /> : <TimeCell value={checkedAt} />,
        ],
        ['Events that were given up', <CountCell value={deadLetters} />],
      ]}
    />
  );
}

function Processes({ processes }: { readonly processes: NonNullable<Overview['processes']> }) {
  const rows = processes.map(({ role, version, startedAt, seenAt, isAlive }, at) => ({
    key: String(at),
    cells: [
      role,
      <StatusBadge value={isAlive ? 'ALIVE' : 'SILENT'} tone={isAlive ? 'good' : 'warn'} />,
      version,
      <TimeCell value={startedAt} />,
      <TimeCell value={seenAt} />,
    ],
  }));
  const heads = ['Role', 'State', 'Version', 'Started', 'Last seen'];
  return <TablePanel title="Processes" heads={heads} rows={rows} empty={UNREAD} />;
}

function Consumers({ consumers }: { readonly consumers: NonNullable<Overview['consumers']> }) {
  const rows = consumers.map(({ consumer, waiting, since }) => ({
    key: consumer,
    cells: [
      consumer,
      <CountCell value={waiting} />,
      since === null ? <None says="nothing waits" /> : <TimeCell value={since} />,
    ],
  }));
  const heads = ['Consumer', 'Waiting events', 'The oldest waits since'];
  return <TablePanel title="Consumers of events" heads={heads} rows={rows} empty={UNREAD} />;
}

/** What is deleted once it is old. */
function Retention({ keptData }: Pick<Overview, 'keptData'>) {
  const rows = keptData.map(({ what, days }) => ({
    key: what,
    cells: [what, days === 1 ? '1 day' : `${days} days`],
  }));
  return <TablePanel title="Retention" heads={['Data', 'Kept for']} rows={rows} />;
}
