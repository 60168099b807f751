import { Text } from '@mantine/core';
import { useThrottledCallback } from '@mantine/hooks';
import { useEffect, type ReactNode } from 'react';
import { useOperation } from '../../api/queries';
import { TimeCell } from '../../kit/cells';
import { labelOf } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { SmallTable } from '../../kit/small-table';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { LatestRedemptionsDocument, type LatestRedemptionsQuery } from './overview.gql';
import { Unread } from './unread';
import type { LiveRate } from './use-live-rate';

/** Under load the list is read this often; its rows would change faster than they can be read. */
const READ_MS = 1000;

type Redemption = LatestRedemptionsQuery['redemptions']['items'][number];

/** The latest redemptions; read again when one is settled anywhere. */
export function LatestPanel({ live: { settled } }: { readonly live: LiveRate }) {
  const { data, refetch } = useOperation(LatestRedemptionsDocument, {});
  const read = useThrottledCallback(() => void refetch(), READ_MS);
  useEffect(() => {
    if (settled.committed > 0) read();
    // The number alone says that there are others.
  }, [settled.committed]);
  const redemptions = data?.redemptions.items;
  return (
    <Panel title="Latest redemptions">
      {redemptions === undefined ? (
        <Unread isLoading />
      ) : redemptions.length === 0 ? (
        <Text size="sm" c="dimmed">
          No code was redeemed yet. Redemptions appear here as they are made.
        </Text>
      ) : (
        <SmallTable
          label="Latest redemptions"
          heads={['Time', 'Campaign', 'User', 'Product line', 'Rewards', 'Status']}
          rows={redemptions.map((redemption) => ({
            key: redemption.id,
            cells: cellsOf(redemption),
          }))}
        />
      )}
    </Panel>
  );
}

function cellsOf(redemption: Redemption): ReactNode[] {
  const { campaignId, campaignName, externalUserId, userId, productCode, settledAt, status, rewards } =
    redemption;
  return [
    <TimeCell value={settledAt} precision="SECOND" />,
    <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm">
      {campaignName ?? campaignId}
    </TextLink>,
    externalUserId ?? userId,
    productCode,
    rewards.map(({ type }) => labelOf(type)).join(', '),
    <StatusBadge value={status} />,
  ];
}
