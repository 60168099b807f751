import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, None, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { TextLink } from '../../kit/text-link';
import { ReverseButton } from './reverse-form';
import { RedemptionDocument, type RedemptionQuery } from './redemptions.gql';

const route = getRouteApi('/shell/redemptions/$id');

type Redemption = NonNullable<RedemptionQuery['redemption']>;

/** One redemption: who, what it gave, and what became of it. */
export function RedemptionPage() {
  const { id } = route.useParams();
  const query = useOperation(RedemptionDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ redemption }) => redemption}
      title={(redemption) => `Redemption ${redemption.id}`}
      back={{ to: '/redemptions', label: 'Redemptions' }}
      actions={(redemption) =>
        redemption.status === 'COMMITTED' && (
          <Can permission="CHANGE">
            <ReverseButton redemption={redemption} />
          </Can>
        )
      }
    >
      {(redemption) => (
        <>
          <What redemption={redemption} />
          <TablePanel
            title="Rewards"
            heads={['Type', 'Status', 'Value', 'Given', 'By the rule']}
            rows={redemption.rewards.map(({ type, status, value, sourceId, targetId }, at) => ({
              key: String(at),
              cells: [
                labelOf(type),
                <StatusBadge value={status} />,
                value,
                <IdCell value={targetId} />,
                <IdCell value={sourceId} />,
              ],
            }))}
            empty="The code gave nothing."
          />
          {redemption.status === 'REVERSED' && <Reversal redemption={redemption} />}
        </>
      )}
    </DetailPage>
  );
}

function What({ redemption }: { readonly redemption: Redemption }) {
  const { status, claimedAt, settledAt, userId, externalUserId, campaignId, campaignName } = redemption;
  const { codeId, codeLastFour, productCode, useNo } = redemption;
  return (
    <Facts
      title="What happened"
      facts={[
        ['Status', <StatusBadge value={status} />],
        ['Claimed', <TimeCell value={claimedAt} />],
        ['Committed', <TimeCell value={settledAt} />],
        ['User', externalUserId ?? <IdCell value={userId} />],
        [
          'Campaign',
          <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm">
            {campaignName ?? campaignId}
          </TextLink>,
        ],
        ['Product line', productCode],
        ['Code', codeLastFour === null ? <IdCell value={codeId} /> : `…${codeLastFour}`],
        ['Use of the code', useNo === null ? <None says="given back" /> : <CountCell value={useNo} />],
        ['Order number', <IdCell value={redemption.id} />],
      ]}
    />
  );
}

function Reversal({ redemption }: { readonly redemption: Redemption }) {
  const { reversedAt, reversedBy, reversalReason, debts } = redemption;
  return (
    <>
      <Facts
        title="Reversal"
        facts={[
          ['When', <TimeCell value={reversedAt} />],
          ['By', reversedBy ?? <None says="not known" />],
          ['Reason', reversalReason ?? <None />],
        ]}
      />
      <TablePanel
        title="Debts"
        heads={['Reward', 'Owed']}
        rows={debts.map(({ rewardNo, type, debt }) => ({
          key: String(rewardNo),
          cells: [labelOf(type), debt],
        }))}
        empty="The user owes nothing: all that was given was taken back."
      />
    </>
  );
}
