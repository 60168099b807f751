import { NumberInput, Select, SimpleGrid, TextInput } from '@mantine/core';
import { useIdempotencyKey } from '../../api/idempotency-key';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import {
  BLANK,
  ruleOf,
  termsOf,
  valuesOf,
  type CampaignFormOf,
  type CampaignValues,
} from './campaign-values';
import { CodeFields } from './code-fields';
import { CreateCampaignDocument, UpdateCampaignDocument, type CampaignDetailFragment } from './campaigns.gql';
import { LimitFields } from './limit-fields';
import { RewardFields } from './reward-fields';
import { RulePreview } from './rule-preview';

const CODES_AT_ONCE_MAX = 10_000;

const validate = {
  name: (name: string) => (name.trim() === '' ? 'Give it a name.' : null),
  budgetValue: (value: string) => (/^\d*(?:\.\d+)?$/.test(value) ? null : 'An amount such as 500.00.'),
};

interface CreateCampaignFormProps {
  readonly onClose: () => void;
  /** @param codes that are shown this once; null where they can be read later, or there are none */
  readonly onCreated: (campaignId: string, codes: readonly string[] | null) => Promise<void>;
}

export function CreateCampaignForm({ onClose, onCreated }: CreateCampaignFormProps) {
  const create = useAction(CreateCampaignDocument);
  const keyOf = useIdempotencyKey();
  const submit = async (values: CampaignValues): Promise<void> => {
    const { codeVisibility, initialCodes } = values;
    const input = { ...termsOf(values), rule: ruleOf(values), codeVisibility, initialCodes };
    const { campaign, codes } = await create.mutateAsync({
      input: { ...input, idempotencyKey: keyOf(input) },
    });
    if (campaign === null) return;
    await onCreated(campaign.id, campaign.codeVisibility === 'HASHED' ? codes : null);
  };
  return (
    <FormModal
      title="New campaign"
      size="xl"
      initialValues={BLANK}
      validate={validate}
      submit={submit}
      submitLabel="Create draft"
      done="The campaign was created. Activate it when it is ready."
      onClose={onClose}
    >
      {(form) => (
        <>
          <NameFields form={form} />
          <CodeFields form={form} />
          <RewardFields form={form} />
          <LimitFields form={form} />
          <RulePreview form={form} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateCampaignForm({
  campaign,
  onClose,
}: {
  readonly campaign: CampaignDetailFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateCampaignDocument);
  const { id: campaignId, version: expectedVersion } = campaign;
  const isDraft = campaign.status === 'DRAFT';
  const submit = async (values: CampaignValues): Promise<unknown> =>
    update.mutateAsync({
      input: {
        ...termsOf(values),
        ...(isDraft && { rule: ruleOf(values) }),
        campaignId,
        expectedVersion,
      },
    });
  return (
    <FormModal
      title={`Edit ${campaign.name}`}
      size="xl"
      initialValues={valuesOf(campaign)}
      validate={validate}
      submit={submit}
      submitLabel="Save"
      done="The campaign was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          {isDraft && (
            <>
              <CodeFields form={form} />
              <RewardFields form={form} />
            </>
          )}
          <LimitFields form={form} />
          {isDraft && <RulePreview form={form} />}
        </>
      )}
    </FormModal>
  );
}

function NameFields({ form }: { readonly form: CampaignFormOf }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
      <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
      <Select
        label="Texts of the codes"
        description="It never changes."
        allowDeselect={false}
        data={[
          { value: 'VISIBLE', label: 'Visible to staff' },
          { value: 'HASHED', label: 'Shown once, stored as digests' },
        ]}
        {...form.getInputProps('codeVisibility')}
      />
      <NumberInput
        label="Codes to make now"
        description="10,000 at most; more by a batch."
        min={0}
        max={CODES_AT_ONCE_MAX}
        clampBehavior="none"
        allowDecimal={false}
        thousandSeparator=","
        {...form.getInputProps('initialCodes')}
      />
    </SimpleGrid>
  );
}
