import { Checkbox, Group, NumberInput, Select, SimpleGrid, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { labelOf } from '../../kit/format';
import {
  CreatePlanDocument,
  PlanCurrenciesDocument,
  UpdatePlanDocument,
  type PlanDetailFragment,
  type ResetCycle,
  type TimeUnit,
} from './plans.gql';

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
const CYCLES: readonly ResetCycle[] = ['NONE', 'MONTH', 'YEAR'];
const BYTES_A_GB = 1_000_000_000;

const BLANK = {
  name: '',
  unitPrice: '',
  currency: null as string | null,
  unitTime: 'MONTH' as TimeUnit,
  trafficBytes: 0,
  resetCycle: 'NONE' as ResetCycle,
  deviceLimit: 0,
  quotaPerUser: 0,
  inventory: -1,
  sell: true,
  show: true,
};
type Values = typeof BLANK;

const validate = {
  name: (name: string) => (name.trim() === '' ? 'Give it a name.' : null),
  unitPrice: (price: string) => (/^\d+(?:\.\d+)?$/.test(price) ? null : 'A price such as 9.90.'),
};

export function CreatePlanForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreatePlanDocument);
  const navigate = useNavigate();
  const submit = async (values: Values): Promise<void> => {
    const { plan } = await create.mutateAsync({ input: values });
    if (plan !== null) await navigate({ to: '/plans/$id', params: { id: plan.id } });
  };
  return (
    <FormModal
      title="New plan"
      initialValues={BLANK}
      validate={validate}
      submit={submit}
      submitLabel="Create plan"
      done="The plan was created."
      onClose={onClose}
    >
      {(form) => <Fields form={form} isNew />}
    </FormModal>
  );
}

export function UpdatePlanForm({
  plan,
  onClose,
}: {
  readonly plan: PlanDetailFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdatePlanDocument);
  const { id: planId, version: expectedVersion } = plan;
  const submit = async ({ unitTime: _never, ...values }: Values): Promise<unknown> =>
    update.mutateAsync({ input: { ...values, planId, expectedVersion } });
  return (
    <FormModal
      title={`Edit ${plan.name}`}
      initialValues={valuesOf(plan)}
      validate={validate}
      submit={submit}
      submitLabel="Save"
      done="The plan was changed."
      onClose={onClose}
    >
      {(form) => <Fields form={form} />}
    </FormModal>
  );
}

function valuesOf({ name, unitPrice, currency, unitTime, resetCycle, ...plan }: PlanDetailFragment): Values {
  const { trafficBytes, deviceLimit, quotaPerUser, inventory, sell, show } = plan;
  const limits = { trafficBytes, deviceLimit, quotaPerUser, inventory };
  return { name, unitPrice, currency, unitTime, resetCycle, ...limits, sell, show };
}

interface FieldsProps {
  readonly form: UseFormReturnType<Values>;
  readonly isNew?: boolean;
}

const options = (values: readonly string[]) => values.map((value) => ({ value, label: labelOf(value) }));

function Fields({ form, isNew = false }: FieldsProps) {
  return (
    <>
      <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <PriceFields form={form} isNew={isNew} />
        <LimitFields form={form} />
      </SimpleGrid>
      <Group>
        <Checkbox label="Users can buy it" {...form.getInputProps('sell', { type: 'checkbox' })} />
        <Checkbox label="Users see it in the list" {...form.getInputProps('show', { type: 'checkbox' })} />
      </Group>
    </>
  );
}

function PriceFields({ form, isNew = false }: FieldsProps) {
  const { data } = useOperation(PlanCurrenciesDocument, {});
  const currencies = data?.currencies ?? [];
  return (
    <>
      <TextInput label="Price" required inputMode="decimal" {...form.getInputProps('unitPrice')} />
      <Select
        label="Currency"
        placeholder="the only one"
        clearable
        clearButtonProps={{ 'aria-label': 'Clear the currency' }}
        data={currencies.map(({ code, name }) => ({ value: code, label: `${code} – ${name}` }))}
        {...form.getInputProps('currency')}
      />
      <Select
        label="For"
        description={
          isNew ? 'It never changes: a plan for another time is another plan.' : 'It never changes.'
        }
        disabled={!isNew}
        allowDeselect={false}
        data={options(UNITS)}
        {...form.getInputProps('unitTime')}
      />
    </>
  );
}

function LimitFields({ form }: FieldsProps) {
  const count = { min: 0, allowDecimal: false, description: '0 means unlimited.' };
  return (
    <>
      <Select
        label="Traffic is reset"
        description="How often the used traffic begins at 0 again."
        allowDeselect={false}
        data={options(CYCLES)}
        {...form.getInputProps('resetCycle')}
      />
      <NumberInput
        {...count}
        label="Traffic in GB"
        allowDecimal
        thousandSeparator=","
        value={form.values.trafficBytes / BYTES_A_GB}
        error={form.errors['trafficBytes']}
        onChange={(value) => form.setFieldValue('trafficBytes', Math.round(Number(value) * BYTES_A_GB))}
      />
      <NumberInput
        {...count}
        label="New subscriptions left"
        min={-1}
        description="-1 means unlimited, 0 sold out."
        {...form.getInputProps('inventory')}
      />
      <NumberInput {...count} label="Devices" {...form.getInputProps('deviceLimit')} />
      <NumberInput {...count} label="Live subscriptions a user" {...form.getInputProps('quotaPerUser')} />
    </>
  );
}
