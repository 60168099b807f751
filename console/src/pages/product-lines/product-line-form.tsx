import { NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { countOrNone, nameIsGiven } from '../../kit/form-values';
import {
  CreateProductLineDocument,
  UpdateProductLineDocument,
  type ProductLineRowFragment,
} from './product-lines.gql';

/** An empty field is the installation's preset. */
const BLANK = { code: '', name: '', hourLimit: '' as number | '', dayLimit: '' as number | '' };
type Values = typeof BLANK;

const validate = {
  code: (code: string) => (code.trim() === '' ? 'Enter a code, such as APP_A.' : null),
  name: nameIsGiven,
};

const limitsOf = ({ hourLimit, dayLimit }: Values) => ({
  hourLimit: countOrNone(hourLimit),
  dayLimit: countOrNone(dayLimit),
});

export function CreateProductLineForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateProductLineDocument);
  const submit = async (values: Values): Promise<unknown> => {
    const { code, name } = values;
    return create.mutateAsync({ input: { code, name, ...limitsOf(values) } });
  };
  return (
    <FormModal
      title="New product line"
      initialValues={BLANK}
      validate={validate}
      submit={submit}
      submitLabel="Create product line"
      done="The product line was created."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput
            label="Code"
            description="Clients send it as x-product-code. It never changes."
            required
            data-autofocus
            {...form.getInputProps('code')}
          />
          <Fields form={form} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateProductLineForm({
  line: { code, name, hourLimit, dayLimit, version },
  onClose,
}: {
  readonly line: ProductLineRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateProductLineDocument);
  const submit = async (values: Values): Promise<unknown> => {
    const input = { code, name: values.name, ...limitsOf(values), expectedVersion: version };
    return update.mutateAsync({ input });
  };
  return (
    <FormModal
      title={`Edit ${code}`}
      initialValues={{ code, name, hourLimit: hourLimit ?? '', dayLimit: dayLimit ?? '' }}
      validate={{ name: validate.name }}
      submit={submit}
      submitLabel="Save"
      done="The product line was changed."
      onClose={onClose}
    >
      {(form) => <Fields form={form} />}
    </FormModal>
  );
}

function Fields({ form }: { readonly form: UseFormReturnType<Values> }) {
  const limit = { min: 0, allowDecimal: false, thousandSeparator: ',', placeholder: 'preset' };
  return (
    <>
      <TextInput label="Name" required {...form.getInputProps('name')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <NumberInput
          {...limit}
          label="Attempts in an hour"
          description="0 means unlimited; empty is the preset of the installation."
          {...form.getInputProps('hourLimit')}
        />
        <NumberInput
          {...limit}
          label="Attempts in a day"
          description="0 means unlimited; empty is the preset of the installation."
          {...form.getInputProps('dayLimit')}
        />
      </SimpleGrid>
    </>
  );
}
