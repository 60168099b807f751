import { Checkbox, PasswordInput, Select, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { FormModal } from '../../kit/form-modal';
import { DONE, orNull, useSave, type SettingsFormProps } from './settings-forms';

interface Values extends Record<string, unknown> {
  device: {
    encryptionEnabled: boolean;
    encryptionKeyId: string | null;
    encryptionV1KeyId: string | null;
  };
  /** Ids of the stored keys that are not removed. */
  kept: string[];
  newId: string;
  newSecret: string;
}

/** The keys of encrypted transmission. A secret is sent, and never shown. */
export function EncryptionForm(props: SettingsFormProps) {
  const save = useSave(props);
  const { encryptionEnabled, encryptionKeyId, encryptionV1KeyId, encryptionKeyIds } = props.settings.device;
  const initialValues: Values = {
    device: { encryptionEnabled, encryptionKeyId, encryptionV1KeyId },
    kept: [...encryptionKeyIds],
    newId: '',
    newSecret: '',
  };
  return (
    <FormModal
      title="Edit the encrypted transmission"
      initialValues={initialValues}
      validate={{
        newSecret: (secret, { newId }) =>
          orNull(newId) !== null && secret === '' ? 'Enter the secret of the new key.' : null,
      }}
      submit={async (values) =>
        save({ device: { ...values.device, ...keyChanges(values, encryptionKeyIds) } })
      }
      submitLabel="Save"
      done={DONE}
      onClose={props.onClose}
    >
      {(form) => <Fields form={form} stored={encryptionKeyIds} />}
    </FormModal>
  );
}

/** A key that is removed is sent without a secret. */
function keyChanges({ kept, newId, newSecret }: Values, stored: readonly string[]) {
  const id = orNull(newId);
  const encryptionKeys = [
    ...stored.filter((each) => !kept.includes(each)).map((each) => ({ id: each, secret: null })),
    ...(id === null ? [] : [{ id, secret: newSecret }]),
  ];
  return encryptionKeys.length === 0 ? {} : { encryptionKeys };
}

function Fields({
  form,
  stored,
}: {
  readonly form: UseFormReturnType<Values>;
  readonly stored: readonly string[];
}) {
  return (
    <>
      <Checkbox
        label="Clients may encrypt their transmission"
        data-autofocus
        {...form.getInputProps('device.encryptionEnabled', { type: 'checkbox' })}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput
          label="Add a key"
          description="Its id: letters, digits, hyphens."
          autoComplete="off"
          {...form.getInputProps('newId')}
        />
        <PasswordInput
          label="Secret of the new key"
          description="32 random bytes as text."
          autoComplete="off"
          {...form.getInputProps('newSecret')}
        />
      </SimpleGrid>
      {stored.length > 0 && (
        <TagsInput
          label="Keys that stay"
          description="One that is taken out here is no longer accepted."
          data={[...stored]}
          {...form.getInputProps('kept')}
        />
      )}
      <UsedKeys form={form} />
    </>
  );
}

function UsedKeys({ form }: { readonly form: UseFormReturnType<Values> }) {
  const { kept, newId } = form.values;
  const id = orNull(newId);
  const keys = [...new Set([...kept, ...(id === null ? [] : [id])])];
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
      <Select
        label="Key of clients"
        placeholder="the first one"
        data={keys}
        {...form.getInputProps('device.encryptionKeyId')}
      />
      <Select
        label="Key of v1"
        placeholder="v1 is refused"
        clearable
        clearButtonProps={{ 'aria-label': 'Refuse v1' }}
        data={keys}
        {...form.getInputProps('device.encryptionV1KeyId')}
      />
    </SimpleGrid>
  );
}
