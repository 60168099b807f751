import { Fieldset, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import { TenantTimeField } from '../../kit/tenant-time-field';
import type { CampaignFormOf } from './campaign-values';

/** What can change also after the activation. */
export function LimitFields({ form }: { readonly form: CampaignFormOf }) {
  const count = { min: 0, allowDecimal: false, thousandSeparator: ',', description: '0 means unlimited.' };
  return (
    <Fieldset legend="Window and limits">
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} spacing="sm">
        <TenantTimeField label="Starts" description="Empty: at once." {...form.getInputProps('startsAt')} />
        <TenantTimeField label="Ends" description="Empty: never." {...form.getInputProps('endsAt')} />
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
