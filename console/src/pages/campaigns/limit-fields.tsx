import { Fieldset, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import type { CampaignFormOf } from './campaign-values';

/** What can change also after the activation. */
export function LimitFields({ form, zone }: { readonly form: CampaignFormOf; readonly zone: string }) {
  const count = { min: 0, allowDecimal: false, thousandSeparator: ',', description: '0 means unlimited.' };
  return (
    <Fieldset legend="Window and limits">
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
        <TextInput
          type="datetime-local"
          max="9999-12-31T23:59"
          label="Starts"
          description={`Time of ${zone}. Empty: at once.`}
          {...form.getInputProps('startsAt')}
        />
        <TextInput
          type="datetime-local"
          max="9999-12-31T23:59"
          label="Ends"
          description={`Time of ${zone}. Empty: never.`}
          {...form.getInputProps('endsAt')}
        />
        <NumberInput {...count} label="Budget in redemptions" {...form.getInputProps('budgetUses')} />
        <TextInput
          label="Budget in value"
          description="Sum of the values of rewards; 0 means unlimited."
          inputMode="decimal"
          {...form.getInputProps('budgetValue')}
        />
        <NumberInput {...count} label="Redemptions a user" {...form.getInputProps('userLimitTotal')} />
        <NumberInput {...count} label="Redemptions a user and day" {...form.getInputProps('userLimitDay')} />
      </SimpleGrid>
    </Fieldset>
  );
}
