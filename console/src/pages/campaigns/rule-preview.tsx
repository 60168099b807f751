import { Code, Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { messageOf } from '../../api/failure';
import { useOperation } from '../../api/queries';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { ruleOf, termsOf, type CampaignFormOf, type CampaignValues } from './campaign-values';
import {
  PreviewCampaignRuleDocument,
  type PreviewCampaignRuleQuery,
  type RewardRuleInput,
} from './campaigns.gql';

const TYPING_MS = 400;

type Preview = PreviewCampaignRuleQuery['previewCampaignRule'];

/** What the campaign would be as it stands in the form: examples of its codes, and how safe they are from guesses. */
export function RulePreview({ form }: { readonly form: CampaignFormOf }) {
  const [values] = useDebouncedValue(form.values, TYPING_MS);
  const { data, error } = useOperation(PreviewCampaignRuleDocument, { input: inputOf(values) });
  const preview = data?.previewCampaignRule;
  const [refusal] = preview?.errors ?? [];
  return (
    <Panel title="Preview">
      <div aria-live="polite">
        {error !== null && <Hint>{messageOf(error)}</Hint>}
        {refusal !== undefined && <Hint>{`Not possible yet: ${refusal.message}`}</Hint>}
        {preview?.codes && <Codes codes={preview.codes} />}
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
  return { ...terms, codeCount, rule: { ...rule, ruleId: rule.ruleId || 'preview', rewardRules } };
}

/** One that is still being filled in would hide what the codes look like. */
const isComplete = ({ type, targetId = null, amount = null, currency = null }: RewardRuleInput): boolean =>
  type === 'POINTS'
    ? amount !== null
    : targetId !== null && (type !== 'BALANCE' || (amount !== null && currency !== null));
