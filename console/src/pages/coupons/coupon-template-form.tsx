import { NumberInput, Select, SimpleGrid, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { amountOrNone, countOrNone, isAmount, nameIsGiven } from '../../kit/form-values';
import { TenantTimeField } from '../../kit/tenant-time-field';
import { KIND_TEXTS } from './coupon-terms';
import {
  CreateCouponTemplateDocument,
  CurrencyCodesDocument,
  UpdateCouponTemplateDocument,
  type CouponKind,
  type CouponTemplateRowFragment,
} from './coupons.gql';

interface Terms extends Record<string, unknown> {
  readonly name: string;
  readonly issueLimit: number | '';
  readonly validDays: number | '';
  readonly startsAt: string | null;
  readonly endsAt: string | null;
}

interface Values extends Terms {
  readonly kind: CouponKind;
  readonly currency: string;
  readonly amount: string;
  readonly minimum: string;
  /** In per cent, as people say it. */
  readonly rate: number | '';
}

const termsOf = ({ name, issueLimit, validDays, startsAt, endsAt }: Terms) => ({
  name,
  startsAt,
  endsAt,
  issueLimit: countOrNone(issueLimit),
  validDays: countOrNone(validDays),
});

/** Only what a coupon of this kind has. */
const worthOf = ({ kind, currency, amount, minimum, rate }: Values) => ({
  kind,
  currency,
  ...(kind !== 'RATE' && { amount: amountOrNone(amount) }),
  ...(kind === 'THRESHOLD' && { minimum: amountOrNone(minimum) }),
  ...(kind === 'RATE' && { rateMille: rate === '' ? null : Math.round(10 * rate) }),
});

const BLANK: Values = {
  name: '',
  issueLimit: '',
  validDays: '',
  startsAt: null,
  endsAt: null,
  kind: 'AMOUNT',
  currency: '',
  amount: '',
  minimum: '',
  rate: '',
};

export function CreateCouponTemplateForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateCouponTemplateDocument);
  const navigate = useNavigate();
  const submit = async (values: Values): Promise<void> => {
    const { template } = await create.mutateAsync({ input: { ...termsOf(values), ...worthOf(values) } });
    if (template !== null) await navigate({ to: '/coupon-templates/$id', params: { id: template.id } });
  };
  return (
    <FormModal<Values>
      title="New coupon template"
      initialValues={BLANK}
      validate={{
        name: nameIsGiven,
        currency: (code) => (code === '' ? 'Choose a currency.' : null),
        amount: isAmount,
        minimum: isAmount,
      }}
      submit={submit}
      submitLabel="Create template"
      done="The template was created."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <WorthFields form={form} />
          <TermFields input={(name) => form.getInputProps(name)} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateCouponTemplateForm({
  template,
  onClose,
}: {
  readonly template: CouponTemplateRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateCouponTemplateDocument);
  const { id: templateId, name, issueLimit, validDays, startsAt, endsAt, version } = template;
  return (
    <FormModal<Terms>
      title={`Edit ${name}`}
      initialValues={{
        name,
        issueLimit: issueLimit ?? '',
        validDays: validDays ?? '',
        startsAt,
        endsAt,
      }}
      validate={{ name: nameIsGiven }}
      submit={async (values) =>
        update.mutateAsync({ input: { ...termsOf(values), templateId, expectedVersion: version } })
      }
      submitLabel="Save"
      done="The template was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <TermFields input={(field) => form.getInputProps(field)} />
        </>
      )}
    </FormModal>
  );
}

/** They never change: coupons were issued by them. */
function WorthFields({ form }: { readonly form: UseFormReturnType<Values> }) {
  const { data } = useOperation(CurrencyCodesDocument, {});
  const { kind } = form.getValues();
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <Select
        label="Kind"
        description="It never changes."
        allowDeselect={false}
        data={Object.entries(KIND_TEXTS).map(([value, label]) => ({ value, label }))}
        {...form.getInputProps('kind')}
      />
      <Select
        label="Currency"
        description="Of the orders that it is for. It never changes."
        required
        searchable
        nothingFoundMessage="There is no such currency."
        data={(data?.currencies ?? []).map(({ code, name }) => ({ value: code, label: `${code} – ${name}` }))}
        {...form.getInputProps('currency')}
      />
      {kind === 'RATE' ? (
        <NumberInput
          label="Per cent off"
          description="0.1 to 100"
          required
          min={0.1}
          decimalScale={1}
          {...form.getInputProps('rate')}
        />
      ) : (
        <TextInput label="Amount" inputMode="decimal" required {...form.getInputProps('amount')} />
      )}
      {kind === 'THRESHOLD' && (
        <TextInput
          label="Minimum of the order"
          inputMode="decimal"
          required
          {...form.getInputProps('minimum')}
        />
      )}
    </SimpleGrid>
  );
}

function TermFields({ input }: { readonly input: (name: keyof Terms & string) => object }) {
  const count = { allowDecimal: false, thousandSeparator: ',' };
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <NumberInput
        {...count}
        label="At most issued"
        placeholder="no limit"
        min={0}
        {...input('issueLimit')}
      />
      <NumberInput
        {...count}
        label="Days from the issue to the end"
        placeholder="no end of its own"
        min={1}
        {...input('validDays')}
      />
      <TenantTimeField label="Issued from" description="Empty: at once." {...input('startsAt')} />
      <TenantTimeField
        label="Issued until"
        description="Issued coupons end then, too. Empty: never."
        {...input('endsAt')}
      />
    </SimpleGrid>
  );
}
