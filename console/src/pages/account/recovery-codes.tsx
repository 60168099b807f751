import { PasswordInput } from '@mantine/core';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { SecretModal } from '../../kit/secret-modal';
import { RegenerateRecoveryCodesDocument } from './account.gql';
import { CodeField } from './code-field';

/** The codes, which the server shows once. */
export function RecoveryCodes({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}) {
  return (
    <SecretModal title="Recovery codes" secret={codes.join('\n')} onClose={onClose}>
      Each signs you in once when you do not have your authenticator app. Keep them somewhere else than the
      app; they are not shown again.
    </SecretModal>
  );
}

export function RegenerateRecoveryCodes({
  onCodes,
  onClose,
}: {
  readonly onCodes: (codes: readonly string[] | null) => void;
  readonly onClose: () => void;
}) {
  const regenerate = useAction(RegenerateRecoveryCodesDocument);
  return (
    <FormModal
      title="Make new recovery codes"
      initialValues={{ password: '', totpCode: '' }}
      submit={async (input) => {
        const { recoveryCodes } = await regenerate.mutateAsync({ input });
        onCodes(recoveryCodes);
      }}
      submitLabel="Make new codes"
      done="The recovery codes of before are good no longer."
      onClose={onClose}
    >
      {(form) => (
        <>
          <PasswordInput
            label="Password"
            required
            data-autofocus
            autoComplete="current-password"
            {...form.getInputProps('password')}
          />
          <CodeField {...form.getInputProps('totpCode')} />
        </>
      )}
    </FormModal>
  );
}
