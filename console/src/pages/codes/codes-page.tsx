import { Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { TenantTimeCell, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf, timeOrderOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { CodeFiles } from './code-files';
import { EFFECTIVE_STATUSES, usesText } from './code-terms';
import { CodesDocument, type CodeRowFragment } from './codes.gql';
import { WhyRefused } from './why-refused';

const route = getRouteApi('/shell/codes');

const columns: readonly Column<CodeRowFragment>[] = [
  {
    title: 'Code',
    cell: ({ id, code, lastFour }) => (
      <TextLink to="/codes/$id" params={{ id }} size="sm" fw={600} ff="monospace">
        {code ?? `…${lastFour}`}
      </TextLink>
    ),
  },
  {
    title: 'Campaign',
    cell: ({ campaignId, campaignName }) => (
      <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm">
        {campaignName ?? campaignId}
      </TextLink>
    ),
  },
  { title: 'Status', cell: ({ effectiveStatus }) => <StatusBadge value={effectiveStatus} /> },
  { title: 'Uses', align: 'end', cell: usesText },
  { title: 'Issued', sort: 'time', cell: ({ issuedAt }) => <TimeCell value={issuedAt} /> },
  { title: 'Until', cell: ({ expiresAt }) => <TenantTimeCell value={expiresAt} /> },
];

/** Codes of the tenant, found by what a customer typed. */
export function CodesPage() {
  const { text, campaignId, batchId, status, from, to, ...search } = route.useSearch();
  const { from: issuedFrom, before: issuedBefore } = periodOf({ from, to });
  const filter = {
    part: text ?? null,
    campaignId: campaignId ?? null,
    batchId: batchId ?? null,
    effectiveStatus: status === undefined ? null : [status],
    issuedFrom,
    issuedBefore,
  };
  const query = useOperation(CodesDocument, { ...pageVariables(search), ...timeOrderOf(search), filter });
  return (
    <>
      <ListPage
        title="Codes"
        query={query}
        list={({ codes }) => codes}
        search={search}
        columns={columns}
        filters={
          <>
            <TextFilter name="text" label="Code, as the customer typed it" />
            <TextFilter name="campaignId" label="Id of a campaign" />
            <TextFilter name="batchId" label="Id of a batch" />
            <ChoiceFilter name="status" label="Status" values={EFFECTIVE_STATUSES} />
            <PeriodFilter label="Issued" />
          </>
        }
        empty={
          <>
            <Text size="sm">No code fits.</Text>
            <Text size="sm">
              Search by the whole code in any spelling, its beginning, or its last four characters.
            </Text>
          </>
        }
        actions={
          batchId !== undefined ? (
            <CodeFiles of={{ batchId }} />
          ) : (
            campaignId !== undefined && <CodeFiles of={{ campaignId }} />
          )
        }
      />
      {text !== undefined && <WhyRefused code={text} />}
    </>
  );
}
