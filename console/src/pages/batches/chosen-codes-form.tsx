import { NumberInput, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { useIdempotencyKey } from '../../api/idempotency-key';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import type { AddCodesFormProps } from './add-codes-form';
import { AddCodesDocument } from './batches.gql';
import { CampaignSelect, chooseCampaign } from './campaign-select';

interface Values extends Record<string, unknown> {
  readonly campaignId: string;
  /** One on each line. */
  readonly codes: string;
  readonly useLimit: number | '';
  readonly assignedUserId: string;
}

const codesOf = (text: string): string[] => text.split(/[\s,;]+/).filter((code) => code !== '');

/** Codes with chosen texts; one with many uses is a code that all users share. */
export function ChosenCodesForm({ campaignId, onClose, onBatch }: AddCodesFormProps) {
  const add = useAction(AddCodesDocument);
  const keyOf = useIdempotencyKey();
  const submit = async ({ campaignId: id, codes, useLimit, assignedUserId }: Values): Promise<void> => {
    const input = {
      campaignId: id,
      codes: codesOf(codes),
      ...(useLimit !== '' && { useLimit }),
      ...(assignedUserId.trim() !== '' && { assignedUserId: assignedUserId.trim() }),
    };
    const { batch } = await add.mutateAsync({ input: { ...input, idempotencyKey: keyOf(input) } });
    if (batch !== null) onBatch(batch.id, null);
  };
  return (
    <FormModal<Values>
      title="Codes of your own choice"
      initialValues={{ campaignId, codes: '', useLimit: '', assignedUserId: '' }}
      validate={{
        campaignId: chooseCampaign,
        codes: (text) => (codesOf(text).length === 0 ? 'Enter at least one code.' : null),
      }}
      submit={submit}
      submitLabel="Add codes"
      done="The codes were added."
      onClose={onClose}
    >
      {(form) => (
        <>
          {campaignId === '' && <CampaignSelect input={form.getInputProps('campaignId')} />}
          <Textarea
            label="Codes"
            description="One on each line, at most 1,000: letters A to Z, digits and hyphens."
            required
            autosize
            minRows={3}
            maxRows={10}
            {...(campaignId !== '' && { 'data-autofocus': true })}
            {...form.getInputProps('codes')}
          />
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <NumberInput
              label="Uses of each code"
              description="Of a code that users share, how many of them may redeem it; 0 is unlimited."
              placeholder="as the campaign says"
              min={0}
              allowDecimal={false}
              thousandSeparator=","
              {...form.getInputProps('useLimit')}
            />
            <TextInput
              label="Only for a user"
              description="The id of the one user who may redeem them."
              placeholder="any user"
              {...form.getInputProps('assignedUserId')}
            />
          </SimpleGrid>
        </>
      )}
    </FormModal>
  );
}
