import { Code, Text } from '@mantine/core';
import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell } from '../../kit/cells';
import { labelOf } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { SmallTable } from '../../kit/small-table';
import { amountText } from './campaign-text';
import { RewardTargetsDocument, type CampaignDetailFragment } from './campaigns.gql';

type Reward = CampaignDetailFragment['rule']['rewardRules'][number];

/** What a redemption gives. */
export function RewardsPanel({ rewards }: { readonly rewards: readonly Reward[] }) {
  const { data } = useOperation(RewardTargetsDocument, {});
  const named = [data?.plans, data?.couponTemplates, data?.facilities].flatMap((list) => list?.items ?? []);
  const names = new Map(named.map(({ id, name }) => [id, name]));
  return (
    <Panel title="Rewards">
      {rewards.length === 0 ? (
        <Text size="sm" c="dimmed">
          A redemption gives nothing.
        </Text>
      ) : (
        <SmallTable
          label="Rewards"
          heads={['Type', 'What', 'How much', 'For', 'Value in the budget']}
          rows={rewards.map((reward, index) => ({
            key: String(index),
            cells: [
              labelOf(reward.type),
              reward.type === 'POINTS'
                ? 'Points'
                : (names.get(reward.targetId) ?? <IdCell value={reward.targetId} />),
              amountText(reward),
              <RewardCondition reward={reward} />,
              <MoneyCell amount={reward.value} currency={null} />,
            ],
          }))}
        />
      )}
    </Panel>
  );
}

function RewardCondition({ reward: { condition, when } }: { readonly reward: Reward }) {
  if (condition === null && when === null) return 'every user';
  return (
    <>
      {condition !== null && `users with the tag ${condition.userTag}`}
      {condition !== null && when !== null && ', and only when '}
      {when !== null && <Code>{when}</Code>}
    </>
  );
}
