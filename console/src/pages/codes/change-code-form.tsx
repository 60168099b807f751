import { NumberInput, TextInput } from '@mantine/core';
import { Pencil } from 'lucide-react';
import { useAction } from '../../api/queries';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { TenantTimeField } from '../../kit/tenant-time-field';
import { UpdateCodeDocument, type CodeQuery } from './codes.gql';

type Code = NonNullable<CodeQuery['code']>;

/** Changes how often, until when and by whom one code can be redeemed. */
export function ChangeCodeButton({ code }: { readonly code: Code }) {
  return (
    <FormButton
      label="Change"
      icon={<Pencil size={16} aria-hidden />}
      button={{ variant: 'default' }}
      form={(close) => <ChangeCodeForm code={code} onClose={close} />}
    />
  );
}

function ChangeCodeForm({ code, onClose }: { readonly code: Code; readonly onClose: () => void }) {
  const update = useAction(UpdateCodeDocument);
  const submit = async (values: {
    useLimit: number;
    expiresAt: string | null;
    assignedUserId: string;
  }): Promise<unknown> =>
    update.mutateAsync({
      input: {
        codeId: code.id,
        useLimit: values.useLimit,
        expiresAt: values.expiresAt,
        assignedUserId: values.assignedUserId.trim() || null,
      },
    });
  return (
    <FormModal
      title="Change the code"
      initialValues={{
        useLimit: code.useLimit,
        expiresAt: code.expiresAt,
        assignedUserId: code.assignedUserId ?? '',
      }}
      submit={submit}
      submitLabel="Save"
      done="The code was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <NumberInput
            label="Uses"
            description={`At least the ${code.used} that were made; 0 is unlimited.`}
            required
            min={0}
            allowDecimal={false}
            data-autofocus
            {...form.getInputProps('useLimit')}
          />
          <TenantTimeField
            label="Until"
            description="Empty: without end."
            {...form.getInputProps('expiresAt')}
          />
          <TextInput
            label="Only for a user"
            description="The id of the one user who may redeem it."
            placeholder="any user"
            {...form.getInputProps('assignedUserId')}
          />
        </>
      )}
    </FormModal>
  );
}
