import { Checkbox, NumberInput } from '@mantine/core';
import { useIdempotencyKey } from '../../api/idempotency-key';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import type { AddCodesFormProps } from './add-codes-form';
import { GenerateCodesDocument } from './batches.gql';
import { CampaignSelect, chooseCampaign, useOpenCampaigns } from './campaign-select';

const COUNT_MAX = 5_000_000;

interface Values extends Record<string, unknown> {
  readonly campaignId: string;
  readonly count: number;
  readonly activateAtSale: boolean;
}

/** Codes by the format of the campaign. */
export function GenerateForm({ campaignId, onClose, onBatch }: AddCodesFormProps) {
  const generate = useAction(GenerateCodesDocument);
  const keyOf = useIdempotencyKey();
  const campaigns = useOpenCampaigns();
  const submit = async (input: Values): Promise<void> => {
    const { batch, codes } = await generate.mutateAsync({
      input: { ...input, idempotencyKey: keyOf(input) },
    });
    if (batch === null) return;
    const campaign = campaigns.find(({ id }) => id === input.campaignId);
    onBatch(batch.id, campaign?.codeVisibility === 'HASHED' ? codes : null);
  };
  return (
    <FormModal<Values>
      title="Generate codes"
      initialValues={{ campaignId, count: 1000, activateAtSale: false }}
      validate={{ campaignId: chooseCampaign }}
      submit={submit}
      submitLabel="Generate"
      onClose={onClose}
    >
      {(form) => (
        <>
          {campaignId === '' && <CampaignSelect input={form.getInputProps('campaignId')} />}
          <NumberInput
            label="Codes"
            description="Up to 10,000 are made at once; more by a worker, and the page shows how far it is."
            required
            min={1}
            max={COUNT_MAX}
            clampBehavior="none"
            allowDecimal={false}
            thousandSeparator=","
            {...form.getInputProps('count')}
          />
          <Checkbox
            label="Activate at sale"
            description="None of the codes can be redeemed before the batch is activated."
            {...form.getInputProps('activateAtSale', { type: 'checkbox' })}
          />
        </>
      )}
    </FormModal>
  );
}
