import { Progress, Stack, Text } from '@mantine/core';
import { countText, moneyText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { TextLink } from '../../kit/text-link';
import type { Overview } from './totals';
import { Unread } from './unread';

const FULL = 100;

type Budget = NonNullable<Overview['budgets']>[number];

/** Active campaigns that have used most of their budget, the fullest first. */
export function BudgetsPanel({ budgets }: { readonly budgets: Overview['budgets'] | undefined }) {
  return (
    <Panel title="Campaigns close to their budget">
      {budgets === null || budgets === undefined ? (
        <Unread isLoading={budgets === undefined} />
      ) : budgets.length === 0 ? (
        <Text size="sm" c="dimmed">
          No active campaign has used 80 % of its budget.
        </Text>
      ) : (
        <Stack gap="sm">
          {budgets.map((budget) => (
            <BudgetRow key={budget.campaignId} budget={budget} />
          ))}
        </Stack>
      )}
    </Panel>
  );
}

function BudgetRow({ budget }: { readonly budget: Budget }) {
  const { campaignId: id, name, percentage } = budget;
  const isFull = percentage >= FULL;
  return (
    <div>
      <Text size="sm" component="div" mb={4}>
        <TextLink to="/campaigns/$id" params={{ id }} size="sm" fw={600}>
          {name}
        </TextLink>{' '}
        <Text span size="xs" c="dimmed">
          {usedText(budget)}
        </Text>
      </Text>
      <Progress
        size="sm"
        value={percentage}
        color={isFull ? 'red.7' : 'yellow.7'}
        aria-label={`${name}: ${Math.floor(percentage)} % of the budget used`}
      />
    </div>
  );
}

/** Of the limits that there are. */
function usedText({ budgetUses, usedUses, budgetValue, usedValue }: Budget): string {
  const uses = budgetUses > 0 ? [`${countText(usedUses)} of ${countText(budgetUses)} redemptions`] : [];
  const value =
    Number(budgetValue) > 0 ? [`${moneyText(usedValue, null)} of ${moneyText(budgetValue, null)} value`] : [];
  return [...uses, ...value].join(', ');
}
