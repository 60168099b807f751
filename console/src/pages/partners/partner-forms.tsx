import { FileInput, MultiSelect, TextInput } from '@mantine/core';
import { KeyRound, Upload } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { nameIsGiven } from '../../kit/form-values';
import {
  CreateApiKeyDocument,
  PartnerProductLinesDocument,
  RegisterOperationsDocument,
  type PartnerRowFragment,
} from './partners.gql';

const SCOPES = [
  { value: 'redeem', label: 'redeem: sign users in, who then redeem' },
  { value: 'redemptions:read', label: 'redemptions:read: see redemptions' },
  { value: 'codes:read', label: 'codes:read: see codes' },
  { value: 'codes:sell', label: 'codes:sell: take codes out of a pool, activate batches' },
  { value: 'codes:generate', label: 'codes:generate: make codes' },
];

interface CreateKeyProps {
  readonly partnerId: string;
  readonly onKey: (key: string) => void;
}

export function CreateKeyButton(props: CreateKeyProps) {
  return (
    <FormButton
      label="New key"
      icon={<KeyRound size={16} aria-hidden />}
      form={(close) => <CreateKeyForm {...props} onClose={close} />}
    />
  );
}

function CreateKeyForm({ partnerId, onKey, onClose }: CreateKeyProps & { readonly onClose: () => void }) {
  const create = useAction(CreateApiKeyDocument);
  const { data } = useOperation(PartnerProductLinesDocument, {});
  const submit = async (values: {
    name: string;
    scopes: string[];
    productCodes: string[];
  }): Promise<void> => {
    const { productCodes, ...input } = values;
    const limits = productCodes.length === 0 ? {} : { productCodes };
    const { key } = await create.mutateAsync({ input: { partnerId, ...input, ...limits } });
    if (key !== null) onKey(key);
  };
  return (
    <FormModal
      title="New API key"
      initialValues={{ name: '', scopes: ['redeem'], productCodes: [] }}
      validate={{ name: nameIsGiven }}
      submit={submit}
      submitLabel="Create key"
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput
            label="Name"
            description="Where the key is used, such as “shop, production”."
            required
            data-autofocus
            {...form.getInputProps('name')}
          />
          <MultiSelect label="Scopes" data={SCOPES} {...form.getInputProps('scopes')} />
          <MultiSelect
            label="Product lines"
            placeholder="all"
            data={(data?.productLines ?? []).map(({ code, name }) => ({
              value: code,
              label: `${code} – ${name}`,
            }))}
            {...form.getInputProps('productCodes')}
          />
        </>
      )}
    </FormModal>
  );
}

export function RegisterOperationsButton({ partner }: { readonly partner: PartnerRowFragment }) {
  return (
    <FormButton
      label="Register operations"
      icon={<Upload size={16} aria-hidden />}
      button={{ variant: 'default' }}
      form={(close) => <RegisterForm partner={partner} onClose={close} />}
    />
  );
}

function RegisterForm({
  partner: { id: partnerId, operations },
  onClose,
}: {
  readonly partner: PartnerRowFragment;
  readonly onClose: () => void;
}) {
  const register = useAction(RegisterOperationsDocument);
  const submit = async ({ file }: { file: File | null }): Promise<void> => {
    if (file === null) return;
    const expected = operations === null ? {} : { expectedVersion: operations.version };
    await register.mutateAsync({ input: { partnerId, manifest: await file.text(), ...expected } });
  };
  return (
    <FormModal
      title="Register operations"
      initialValues={{ file: null as File | null }}
      validate={{ file: (file) => (file === null ? 'Choose the file.' : null) }}
      submit={submit}
      submitLabel="Register"
      done="The operations are registered."
      onClose={onClose}
    >
      {(form) => (
        <FileInput
          label="Manifest"
          description="As Apollo, Relay or GraphQL Code Generator wrote it. The partner may then send these operations and no others; operations that are not in it any more are refused at once."
          placeholder="Choose a file"
          accept="application/json"
          required
          {...form.getInputProps('file')}
        />
      )}
    </FormModal>
  );
}
