import { Alert, Grid, SimpleGrid, Text } from '@mantine/core';
import { useThrottledCallback } from '@mantine/hooks';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { Bars } from '../../kit/bars';
import { countText, labelOf, moneyText } from '../../kit/format';
import { Loading } from '../../kit/loading';
import { Panel } from '../../kit/panel';
import { PanelColumn } from '../../kit/panel-column';
import { Tile } from '../../kit/tile';
import { TimeChart } from '../../kit/time-chart';
import { useLive } from '../../kit/use-live';
import { CampaignReportDocument, CampaignSettledDocument, type CampaignReportQuery } from './campaigns.gql';

/** Counts of redemptions reach the report within about a second, those of refusals within some seconds. */
const EVERY_MS = 5000;
const LIVE_MS = 1000;
const REASONS_MAX = 5;

type Report = NonNullable<CampaignReportQuery['campaignReport']>;

/** What came of a campaign up to now: in one request, and again when one of its codes is redeemed. */
export function ReportPanels({ campaignId: id }: { readonly campaignId: string }) {
  const { data, error, refetch } = useOperation(CampaignReportDocument, { id }, EVERY_MS);
  const read = useThrottledCallback(() => void refetch(), LIVE_MS);
  useLive(CampaignSettledDocument, (events) => {
    if (events.some(({ campaignId }) => campaignId === id)) read();
  });
  const report = data?.campaignReport ?? null;
  if (error !== null && report === null)
    return (
      <Alert color="red" role="alert" title="The figures could not be read">
        {messageOf(error)}
      </Alert>
    );
  if (report === null) return <Loading height={92} />;
  return (
    <>
      <Figures report={report} />
      <Grid gap="sm">
        <PanelColumn span={{ base: 12, md: 6 }}>
          <DaysPanel days={report.days} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, xs: 6, md: 3 }}>
          <CodesPanel codes={report.codes} />
        </PanelColumn>
        <PanelColumn span={{ base: 12, xs: 6, md: 3 }}>
          <RefusalsPanel refusals={report.refusals} conditionFaults={report.conditionFaults} />
        </PanelColumn>
      </Grid>
    </>
  );
}

function Figures({ report }: { readonly report: Report }) {
  const { redemptions, budgetUses, usedUses, budgetValue, usedValue, codes, refusals } = report;
  const hasValue = Number(budgetValue) > 0;
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 5 }} spacing="sm">
      <Tile label="Redemptions" hint={`${countText(redemptions.reversed)} reversed`}>
        {countText(redemptions.committed)}
      </Tile>
      <Tile
        label="Budget in redemptions"
        tone={budgetUses > 0 && usedUses >= budgetUses ? 'bad' : undefined}
        hint={budgetUses === 0 ? 'unlimited' : `used of ${countText(budgetUses)}`}
      >
        {budgetUses === 0 ? '–' : countText(usedUses)}
      </Tile>
      <Tile
        label="Budget in value"
        tone={hasValue && Number(usedValue) >= Number(budgetValue) ? 'bad' : undefined}
        hint={hasValue ? `used of ${moneyText(budgetValue, null)}` : 'unlimited'}
      >
        {hasValue ? moneyText(usedValue, null) : '–'}
      </Tile>
      <Tile label="Codes" hint="not deleted">
        {countText(codes.reduce((sum, { count }) => sum + count, 0))}
      </Tile>
      <Tile label="Refusals" hint="of its codes">
        {countText(refusals.reduce((sum, { total }) => sum + total, 0))}
      </Tile>
    </SimpleGrid>
  );
}

function DaysPanel({ days: { startsAt, committed, refused, reversed } }: { readonly days: Report['days'] }) {
  return (
    <Panel title="Redemptions per day (UTC), last 30 days">
      <TimeChart
        summary={`${countText(sumOf(committed))} redemptions, ${countText(sumOf(reversed))} reversals and ${countText(sumOf(refused))} refusals in the last 30 days.`}
        step="DAY"
        times={startsAt.map((start) => Date.parse(start) / 1000)}
        series={[
          { label: 'Committed', tone: 'good', shape: 'BARS', values: committed },
          { label: 'Refused', tone: 'warn', shape: 'LINE', values: refused },
          { label: 'Reversed', tone: 'bad', shape: 'LINE', values: reversed },
        ]}
      />
    </Panel>
  );
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function CodesPanel({ codes }: { readonly codes: Report['codes'] }) {
  return (
    <Panel title="Codes by state">
      {codes.length === 0 ? (
        <Empty>There are no codes yet.</Empty>
      ) : (
        <Bars bars={codes.map(({ status, count }) => ({ key: status, label: labelOf(status), count }))} />
      )}
    </Panel>
  );
}

function RefusalsPanel({ refusals, conditionFaults }: Pick<Report, 'refusals' | 'conditionFaults'>) {
  return (
    <Panel title="Refusals by reason">
      {refusals.length === 0 ? (
        <Empty>None of its codes was refused.</Empty>
      ) : (
        <Bars
          color="yellow.7"
          bars={refusals
            .slice(0, REASONS_MAX)
            .map(({ refusal, total }) => ({ key: refusal, label: labelOf(refusal), count: total }))}
        />
      )}
      {conditionFaults > 0 && (
        <Text size="sm" c="red.8" mt="xs">
          A condition could not be evaluated {countText(conditionFaults)} times, and counted as false.
        </Text>
      )}
    </Panel>
  );
}

function Empty({ children }: { readonly children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
