import { Alert, Stack, Text } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { CountCell, None } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { FormButton } from '../../kit/form-button';
import { durationText, labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { TablePanel } from '../../kit/table-panel';
import { Headroom } from './headroom';
import { SetRateLimitForm } from './rate-limit-form';
import { SCOPE_TEXTS, SCOPES } from './rate-limit-terms';
import { RateLimitsDocument, type RateLimitRowFragment, type UsageReportFragment } from './rate-limits.gql';
import { useUsage, windowOf } from './use-usage';

const route = getRouteApi('/shell/rate-limits');

type Row = RateLimitRowFragment & { readonly id: string };

/** What a window admits, and whether staff have set it. */
function Limit({ set, allowed }: { readonly set: number | null; readonly allowed: number }) {
  return (
    <Stack gap={0}>
      {allowed === 0 ? <None says="unlimited" /> : <CountCell value={allowed} />}
      <Text span size="xs" c="dimmed">
        {set === null ? 'preset' : 'set'}
      </Text>
    </Stack>
  );
}

const columns: readonly Column<Row>[] = [
  { title: 'Product line', cell: ({ productCode }) => <strong>{productCode}</strong> },
  { title: 'Counts attempts of', cell: ({ scope }) => SCOPE_TEXTS[scope] },
  {
    title: 'An hour',
    align: 'end',
    cell: ({ hourLimit, hourAllowed }) => <Limit set={hourLimit} allowed={hourAllowed} />,
  },
  {
    title: 'A day',
    align: 'end',
    cell: ({ dayLimit, dayAllowed }) => <Limit set={dayLimit} allowed={dayAllowed} />,
  },
];

/** Limits of attempts, with what is left of them now: of product lines, and of the callers named by the filters. */
export function RateLimitsPage() {
  const { productCode, scope, userId, deviceId, ip } = route.useSearch();
  const query = useOperation(RateLimitsDocument, {});
  const { usage, error } = useUsage({
    userId: userId ?? null,
    deviceId: deviceId ?? null,
    ip: ip ?? null,
  });
  const named = { PRODUCT_LINE: true, USER: userId, DEVICE: deviceId, IP: ip };
  const fits = (limit: RateLimitRowFragment): boolean =>
    (scope === undefined || limit.scope === scope) &&
    (productCode === undefined || limit.productCode.includes(productCode.toUpperCase()));
  const live: readonly Column<Row>[] = (['HOUR', 'DAY'] as const).map((window) => ({
    title: window === 'HOUR' ? 'Used in the last hour' : 'Used in the last day',
    cell: (row) =>
      named[row.scope] === undefined ? (
        <None says="name a caller above" />
      ) : (
        <Headroom window={windowOf(usage, { ...row, window })} />
      ),
  }));
  return (
    <>
      <ListPage
        title="Rate limits"
        query={query}
        list={({ rateLimits }) => {
          const items = rateLimits.filter(fits);
          return {
            total: items.length,
            items: items.map((limit) => ({ ...limit, id: `${limit.productCode} ${limit.scope}` })),
          };
        }}
        search={{ size: SIZE_OF_ALL }}
        columns={[
          ...columns,
          ...live,
          { title: '', align: 'end', cell: (limit) => <SetButton limit={limit} /> },
        ]}
        filters={
          <>
            <TextFilter name="productCode" label="Product line" />
            <ChoiceFilter name="scope" label="Counts attempts of" values={SCOPES} />
            <TextFilter name="userId" label="Id of a user" />
            <TextFilter name="deviceId" label="Id of a device" />
            <TextFilter name="ip" label="Address of a client" />
          </>
        }
        empty="No limit fits. Each product line has four."
      />
      {error !== null && (
        <Alert mt="sm" color="red" role="alert" title="What is used up could not be read">
          {messageOf(error)}
        </Alert>
      )}
      <LockOuts lockOuts={usage?.lockOuts ?? []} />
    </>
  );
}

/** Four limits of each product line are few: they are shown on one page. */
const SIZE_OF_ALL = 100;

function SetButton({ limit }: { readonly limit: RateLimitRowFragment }) {
  return (
    <FormButton
      label="Set"
      name={`Set the limits of ${limit.productCode}, ${SCOPE_TEXTS[limit.scope].toLowerCase()}`}
      button={{ size: 'xs', variant: 'default' }}
      form={(close) => <SetRateLimitForm limit={limit} onClose={close} />}
    />
  );
}

function LockOuts({ lockOuts }: Pick<UsageReportFragment, 'lockOuts'>) {
  return (
    <Stack mt="sm">
      <TablePanel
        title="Failed attempts"
        heads={['Of', 'In the last hour', 'Without a consequence', 'Next attempt']}
        rows={lockOuts.map(({ scope, failures, failuresFree, retryAfterMs }) => ({
          key: scope,
          cells: [
            labelOf(scope),
            <CountCell value={failures} />,
            <CountCell value={failuresFree} />,
            retryAfterMs === 0 ? 'at once' : `in ${durationText(retryAfterMs / 1000)}`,
          ],
        }))}
        empty="Failed attempts are not limited."
      />
    </Stack>
  );
}
