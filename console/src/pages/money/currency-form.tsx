import { NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { amountOrNone, countOrNone, isAmount, nameIsGiven } from '../../kit/form-values';
import { CreateCurrencyDocument, UpdateCurrencyDocument, type CurrencyRowFragment } from './money.gql';

/** An empty field is no limit. */
interface Values extends Record<string, unknown> {
  readonly code: string;
  readonly name: string;
  readonly scale: number;
  readonly feeRate: string;
  readonly transferMax: string;
  readonly dailySumMax: string;
  readonly dailyCountMax: number | '';
}

const BLANK: Values = {
  code: '',
  name: '',
  scale: 2,
  feeRate: '0',
  transferMax: '',
  dailySumMax: '',
  dailyCountMax: '',
};

const validate = { name: nameIsGiven, feeRate: isAmount, transferMax: isAmount, dailySumMax: isAmount };

const rulesOf = ({ name, feeRate, transferMax, dailySumMax, dailyCountMax }: Values) => ({
  name,
  feeRate: feeRate || '0',
  transferMax: amountOrNone(transferMax),
  dailySumMax: amountOrNone(dailySumMax),
  dailyCountMax: countOrNone(dailyCountMax),
});

export function CreateCurrencyForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateCurrencyDocument);
  return (
    <FormModal<Values>
      title="New currency"
      initialValues={BLANK}
      validate={{ ...validate, code: (code) => (code.trim() === '' ? 'Enter a code, such as USD.' : null) }}
      submit={async (values) =>
        create.mutateAsync({
          input: { ...rulesOf(values), code: values.code.trim().toUpperCase(), scale: values.scale },
        })
      }
      submitLabel="Create currency"
      done="The currency was created."
      onClose={onClose}
    >
      {(form) => (
        <>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <TextInput
              label="Code"
              description="2 to 8 capitals and digits. It never changes."
              required
              data-autofocus
              {...form.getInputProps('code')}
            />
            <NumberInput
              label="Digits after the point"
              description="0 to 10. They never change."
              required
              min={0}
              max={10}
              allowDecimal={false}
              {...form.getInputProps('scale')}
            />
          </SimpleGrid>
          <Rules form={form} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateCurrencyForm({
  currency,
  onClose,
}: {
  readonly currency: CurrencyRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateCurrencyDocument);
  const { code, scale, version: expectedVersion } = currency;
  const { name, feeRate, transferMax, dailySumMax, dailyCountMax } = currency;
  return (
    <FormModal<Values>
      title={`Edit ${code}`}
      initialValues={{
        code,
        scale,
        name,
        feeRate,
        transferMax: transferMax ?? '',
        dailySumMax: dailySumMax ?? '',
        dailyCountMax: dailyCountMax ?? '',
      }}
      validate={validate}
      submit={async (values) => update.mutateAsync({ input: { ...rulesOf(values), code, expectedVersion } })}
      submitLabel="Save"
      done="The currency was changed."
      onClose={onClose}
    >
      {(form) => <Rules form={form} />}
    </FormModal>
  );
}

function Rules({ form }: { readonly form: UseFormReturnType<Values> }) {
  const none = { placeholder: 'no limit', inputMode: 'decimal' } as const;
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <TextInput label="Name" required {...form.getInputProps('name')} />
      <TextInput
        label="Fee of a transfer"
        description="The part that is kept: 0.01 is one per cent."
        inputMode="decimal"
        {...form.getInputProps('feeRate')}
      />
      <TextInput {...none} label="Largest transfer" {...form.getInputProps('transferMax')} />
      <TextInput {...none} label="Sum of a user's transfers a day" {...form.getInputProps('dailySumMax')} />
      <NumberInput
        label="Transfers of a user a day"
        placeholder="no limit"
        min={0}
        allowDecimal={false}
        thousandSeparator=","
        {...form.getInputProps('dailyCountMax')}
      />
    </SimpleGrid>
  );
}
