import { NumberInput, Select, TextInput, type NumberInputProps } from '@mantine/core';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { labelOf } from '../../kit/format';
import { TYPES } from './tenant-terms';
import {
  CreateTenantDocument,
  UpdateTenantDocument,
  type TenantRowFragment,
  type TenantType,
} from './tenants.gql';

const BLANK = { id: '', name: '', type: 'CHANNEL' as TenantType, codeQuota: 0 };

const validate = {
  id: (id: string) => (id.trim() === '' ? 'Enter an id, such as CH_123.' : null),
  name: (name: string) => (name.trim() === '' ? 'Enter a name.' : null),
};

export function CreateTenantForm({ onClose }: { readonly onClose: () => void }) {
  const create = useAction(CreateTenantDocument);
  return (
    <FormModal
      title="New tenant"
      initialValues={BLANK}
      validate={validate}
      submit={async (input) => create.mutateAsync({ input })}
      submitLabel="Create tenant"
      done="The tenant was created. Invite its first owner by `npx redeemkit staff invite`."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput
            label="Id"
            description="Capitals and digits, in groups joined by single underscores. It never changes."
            required
            data-autofocus
            {...form.getInputProps('id')}
          />
          <TextInput label="Name" required {...form.getInputProps('name')} />
          <Select
            label="Type"
            description="PLATFORM runs the installation and sees all tenants; CHANNEL uses it."
            allowDeselect={false}
            data={TYPES.map((value) => ({ value, label: labelOf(value) }))}
            {...form.getInputProps('type')}
          />
          <QuotaField {...form.getInputProps('codeQuota')} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateTenantForm({
  row: { id: tenantId, name, codeQuota, version: expectedVersion },
  onClose,
}: {
  readonly row: TenantRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateTenantDocument);
  return (
    <FormModal
      title={`Edit ${tenantId}`}
      initialValues={{ name, codeQuota }}
      validate={{ name: validate.name }}
      submit={async (values) => update.mutateAsync({ input: { ...values, tenantId, expectedVersion } })}
      submitLabel="Save"
      done="The tenant was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <QuotaField {...form.getInputProps('codeQuota')} />
        </>
      )}
    </FormModal>
  );
}

function QuotaField(props: NumberInputProps) {
  return (
    <NumberInput
      label="Quota of codes"
      description="Codes that may be issued in all; 0 means unlimited."
      min={0}
      allowDecimal={false}
      thousandSeparator=","
      {...props}
    />
  );
}
