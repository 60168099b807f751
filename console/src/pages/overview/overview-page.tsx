import { Alert, Button, Grid, Stack, Text } from '@mantine/core';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { Loading } from '../../kit/loading';
import { PageTitle } from '../../kit/page-title';
import { PanelColumn } from '../../kit/panel-column';
import { BatchesPanel } from './batches-panel';
import { BudgetsPanel } from './budgets-panel';
import { HealthPanel } from './health-panel';
import { HOURS, HoursPanel } from './hours-panel';
import { LatestPanel } from './latest-panel';
import { LivePanel } from './live-panel';
import { HourlySeriesDocument, OverviewTotalsDocument } from './overview.gql';
import { RefusalsPanel } from './refusals-panel';
import { Totals } from './totals';
import { useLiveRate } from './use-live-rate';

const EVERY_MS = 5000;
const HOUR_MS = 3_600_000;

/** From the beginning of an hour, so that it stays one question for an hour. */
function useSeries() {
  const from = new Date((Math.floor(Date.now() / HOUR_MS) - HOURS + 1) * HOUR_MS).toISOString();
  return useOperation(HourlySeriesDocument, { from }, EVERY_MS).data?.redemptionSeries;
}

/** What happens at the moment, and what needs somebody's attention. */
export function OverviewPage() {
  const query = useOperation(OverviewTotalsDocument, {}, EVERY_MS);
  const live = useLiveRate();
  const overview = query.data?.overview;
  const series = useSeries();
  return (
    <Stack gap="sm">
      <PageTitle title="Overview" />
      {query.isError && (
        <Alert color="red" title="The overview could not be read" role="alert">
          <Text size="sm">{messageOf(query.error)}</Text>
          <Button mt="sm" size="xs" variant="default" onClick={() => void query.refetch()}>
            Try again
          </Button>
        </Alert>
      )}
      {overview === undefined ? <Loading height={92} /> : <Totals overview={overview} live={live} />}
      <Grid gap="sm">
        <PanelColumn span={{ base: 12, md: 8 }}>
          <LivePanel live={live} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, md: 4 }}>
          <BudgetsPanel budgets={overview?.budgets} />
          <BatchesPanel batches={overview?.batchesUnderWay} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, md: 8 }}>
          <HoursPanel series={series} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, md: 4 }}>
          <RefusalsPanel series={series} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, md: 8 }}>
          <LatestPanel live={live} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, md: 4 }}>
          {overview !== undefined && <HealthPanel overview={overview} />}
        </PanelColumn>
      </Grid>
    </Stack>
  );
}
