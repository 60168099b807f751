import {
  Alert,
  Button,
  Fieldset,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { Plus, Trash2 } from 'lucide-react';
import { useOperation } from '../../api/queries';
import { labelOf } from '../../kit/format';
import { ConditionField } from './condition-field';
import { blankReward, type CampaignFormOf } from './campaign-values';
import {
  RewardTargetsDocument,
  type RewardTargetsQuery,
  type RewardType,
  type TimeUnit,
} from './campaigns.gql';

const TYPES: readonly RewardType[] = ['SUBSCRIPTION', 'COUPON', 'POINTS', 'BALANCE'];
const UNITS: readonly TimeUnit[] = [
  'MINUTE',
  'HOUR',
  'DAY',
  'MONTH',
  'QUARTER',
  'HALF_YEAR',
  'YEAR',
  'NO_LIMIT',
];
const REWARDS_MAX = 16;
const LIST = 'rule.rewardRules';

const options = (values: readonly string[]) => values.map((value) => ({ value, label: labelOf(value) }));

/** Who may redeem, and what a redemption gives; each reward to every user, or to those who meet its condition. */
export function RewardFields({ form }: { readonly form: CampaignFormOf }) {
  const { data } = useOperation(RewardTargetsDocument, {});
  const rewards = form.values.rule.rewardRules;
  return (
    <Fieldset legend="Rewards">
      <Stack gap="md">
        <ConditionField
          label="Who may redeem"
          placeholder={'productLine == "APP_A" && hour >= 18'}
          description="Empty: everybody. Others are refused."
          {...form.getInputProps('rule.when')}
        />
        {rewards.length === 0 && (
          <Text size="sm" c="dimmed">
            A redemption gives nothing yet.
          </Text>
        )}
        {rewards.map(({ key }, index) => (
          <OneReward key={key} form={form} index={index} targets={data} />
        ))}
        {form.errors[LIST] !== undefined && (
          <Alert color="red" role="alert">
            {form.errors[LIST]}
          </Alert>
        )}
        <Button
          variant="default"
          size="xs"
          w="fit-content"
          leftSection={<Plus size={14} aria-hidden />}
          disabled={rewards.length >= REWARDS_MAX}
          onClick={() => form.insertListItem(LIST, blankReward())}
        >
          Add a reward
        </Button>
      </Stack>
    </Fieldset>
  );
}

interface RewardProps {
  readonly form: CampaignFormOf;
  readonly index: number;
  readonly targets: RewardTargetsQuery | undefined;
}

function OneReward({ form, index, targets }: RewardProps) {
  const at = `${LIST}.${index}`;
  const type = form.values.rule.rewardRules[index]?.type ?? 'SUBSCRIPTION';
  return (
    <Stack gap="xs" role="group" aria-label={`Reward ${index + 1}`}>
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          Reward {index + 1}
        </Text>
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          leftSection={<Trash2 size={12} aria-hidden />}
          aria-label={`Remove reward ${index + 1}`}
          onClick={() => form.removeListItem(LIST, index)}
        >
          Remove
        </Button>
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
        <Select
          label="Type"
          allowDeselect={false}
          data={options(TYPES)}
          {...form.getInputProps(`${at}.type`)}
          onChange={(next) =>
            form.setFieldValue(at, { ...blankReward(next as RewardType), key: keyAt(form, index) })
          }
        />
        <TargetField form={form} index={index} targets={targets} />
        {(type === 'POINTS' || type === 'BALANCE') && (
          <TextInput
            label={type === 'POINTS' ? 'Points' : 'Amount'}
            required
            inputMode="decimal"
            {...form.getInputProps(`${at}.amount`)}
          />
        )}
        <MeasureFields form={form} index={index} targets={targets} />
        <TextInput
          label="Value"
          description="What it takes of the budget in value."
          inputMode="decimal"
          {...form.getInputProps(`${at}.value`)}
        />
        <TextInput
          label="Only for users with the tag"
          placeholder="every user"
          {...form.getInputProps(`${at}.condition.userTag`)}
        />
      </SimpleGrid>
      <ConditionField
        label="Only when"
        placeholder={'"vip" in userTags && campaignRedemptions == 0'}
        description="Empty: always."
        {...form.getInputProps(`${at}.when`)}
      />
    </Stack>
  );
}

const keyAt = (form: CampaignFormOf, index: number): string => form.values.rule.rewardRules[index]?.key ?? '';

/** Plan, template or facility; points name nothing. */
function TargetField({ form, index, targets }: RewardProps) {
  const type = form.values.rule.rewardRules[index]?.type ?? 'SUBSCRIPTION';
  if (type === 'POINTS') return null;
  const { label, rows } = {
    SUBSCRIPTION: { label: 'Plan', rows: targets?.plans.items },
    COUPON: { label: 'Coupon template', rows: targets?.couponTemplates.items },
    BALANCE: { label: 'Facility', rows: targets?.facilities.items },
  }[type];
  return (
    <Select
      label={label}
      required
      searchable
      nothingFoundMessage="There is none."
      data={(rows ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      {...form.getInputProps(`${LIST}.${index}.targetId`)}
    />
  );
}

/** How much of it: units of a plan, a number of coupons, a currency, the days that points last. */
function MeasureFields({ form, index, targets }: RewardProps) {
  const at = `${LIST}.${index}`;
  const { type = 'SUBSCRIPTION', targetId = null } = form.values.rule.rewardRules[index] ?? {};
  const plan = targets?.plans.items.find(({ id }) => id === targetId);
  const quantity = (
    <NumberInput label="Quantity" min={1} allowDecimal={false} {...form.getInputProps(`${at}.quantity`)} />
  );
  switch (type) {
    case 'COUPON':
      return quantity;
    case 'SUBSCRIPTION':
      return (
        <>
          {quantity}
          <Select
            label="Unit"
            placeholder={plan === undefined ? 'the unit of the plan' : labelOf(plan.unitTime)}
            clearable
            clearButtonProps={{ 'aria-label': 'Clear the unit' }}
            data={options(UNITS)}
            {...form.getInputProps(`${at}.unit`)}
          />
        </>
      );
    case 'POINTS':
      return (
        <NumberInput
          label="Expire after days"
          placeholder="never"
          min={1}
          allowDecimal={false}
          {...form.getInputProps(`${at}.validDays`)}
        />
      );
    case 'BALANCE':
      return (
        <Select
          label="Currency"
          required
          data={(targets?.currencies ?? []).map(({ code, name }) => ({
            value: code,
            label: `${code} – ${name}`,
          }))}
          {...form.getInputProps(`${at}.currency`)}
        />
      );
  }
}
