import { Code, Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { SmallTable } from '../../kit/small-table';
import { ruleOf, termsOf, type CampaignFormOf, type CampaignValues } from './campaign-values';
import {
  PreviewCampaignRuleDocument,
  type PreviewCampaignRuleQuery,
  type RewardRuleInput,
} from './campaigns.gql';

const TYPING_MS = 400;
/** Users on whom conditions are tried. */
const SAMPLE = 5;

type Preview = PreviewCampaignRuleQuery['previewCampaignRule'];

/**
 * What the campaign would be as it stands in the form: examples of its codes, how safe they are from guesses, and what
 * some users would get; or where a condition is wrong.
 */
export function RulePreview({ form }: { readonly form: CampaignFormOf }) {
  const [values] = useDebouncedValue(form.values, TYPING_MS);
  const { data, error } = useOperation(PreviewCampaignRuleDocument, { input: inputOf(values) });
  const preview = data?.previewCampaignRule;
  const [refusal] = preview?.errors ?? [];
  return (
    <Panel title="Preview">
      <div aria-live="polite">
        {error !== null && <Hint>{messageOf(error)}</Hint>}
        {refusal !== undefined && <Refusal refusal={refusal} />}
        {preview?.codes && <Codes codes={preview.codes} />}
        {preview?.users && <Users users={preview.users} />}
        {preview?.warnings?.map(({ code, message }) => (
          <Hint key={code}>{message}</Hint>
        ))}
      </div>
    </Panel>
  );
}

function Codes({
  codes: { samples, guessesPerHit, guessesPerHitMin },
}: {
  readonly codes: NonNullable<Preview['codes']>;
}) {
  return (
    <Stack gap="xs" mb="xs">
      <Group gap="xs" aria-label="Examples of codes" role="group">
        {samples.map((sample) => (
          <Code key={sample}>{sample}</Code>
        ))}
      </Group>
      <Text size="sm">
        One guess in {guessText(guessesPerHit)} would hit a live code; at least {guessText(guessesPerHitMin)}{' '}
        is asked for.
      </Text>
    </Stack>
  );
}

/** The line of a condition with a caret below its place, where a condition is wrong. */
function Refusal({ refusal: { message, position } }: { readonly refusal: Preview['errors'][number] }) {
  return (
    <>
      <Hint>{`Not possible yet: ${message}`}</Hint>
      {position !== null && (
        <Code block my="xs">
          {position.excerpt}
        </Code>
      )}
    </>
  );
}

/** What the newest users would get now, where the rewards depend on the user. */
function Users({ users }: { readonly users: NonNullable<Preview['users']> }) {
  if (users.length === 0) return <Hint>There are no users to try it on.</Hint>;
  return (
    <SmallTable
      label="The newest users"
      heads={['User', 'Would get']}
      rows={users.map((user) => ({
        key: user.userId,
        cells: [user.externalUserId, outcomeText(user)],
      }))}
    />
  );
}

function outcomeText({ isEligible, rewardNos, faults }: NonNullable<Preview['users']>[number]): string {
  const failed = faults.map(
    ({ rewardNo, message }) =>
      `; ${rewardNo === null ? 'who may redeem' : `reward ${rewardNo + 1}`}: ${message}`,
  );
  const rewards = rewardNos.map((rewardNo) => rewardNo + 1).join(', ');
  const gets = rewards === '' ? 'nothing' : `reward ${rewards}`;
  return `${isEligible ? gets : 'nothing: may not redeem'}${failed.join('')}`;
}

function Hint({ children }: { readonly children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}

const EXACT_MAX = 1e9;
/** Large ones by their powers of ten. */
const guessText = (guesses: number): string =>
  guesses < EXACT_MAX ? countText(Math.floor(guesses)) : `10^${Math.floor(Math.log10(guesses))}`;

function inputOf(values: CampaignValues) {
  const { name: _none, ...terms } = termsOf(values);
  const rule = ruleOf(values);
  const rewardRules = (rule.rewardRules ?? []).filter(isComplete);
  const codeCount = values.initialCodes === 0 ? null : values.initialCodes;
  const isSelective = [rule, ...rewardRules].some(({ when }) => isText(when)) || rewardRules.some(hasTag);
  const sample = isSelective ? { newest: SAMPLE, productCode: rule.applicableProducts?.[0] ?? null } : null;
  return { ...terms, codeCount, sample, rule: { ...rule, ruleId: rule.ruleId || 'preview', rewardRules } };
}

const isText = (text: string | null | undefined): boolean => text !== null && text !== undefined;
const hasTag = ({ condition }: RewardRuleInput): boolean => condition !== null && condition !== undefined;

/** One that is still being filled in would hide what the codes look like. */
const isComplete = ({ type, targetId = null, amount = null, currency = null }: RewardRuleInput): boolean =>
  type === 'POINTS'
    ? amount !== null
    : targetId !== null && (type !== 'BALANCE' || (amount !== null && currency !== null));
