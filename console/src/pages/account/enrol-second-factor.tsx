import { Code, Group, PasswordInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import encodeQr from 'qr';
import { useAction } from '../../api/queries';
import { CopyButton } from '../../kit/copy-button';
import { FormModal } from '../../kit/form-modal';
import { ConfirmSecondFactorDocument, EnrolSecondFactorDocument } from './account.gql';

interface Enrolment {
  readonly secret: string;
  readonly otpauthUrl: string;
}

interface EnrolProps {
  readonly onCodes: (codes: readonly string[] | null) => void;
  readonly onClose: () => void;
}

/** Asks for the password, shows the secret, and is done when the app's code fits it. */
export function EnrolSecondFactor({ onCodes, onClose }: EnrolProps) {
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  if (enrolment !== null) return <Confirm enrolment={enrolment} onCodes={onCodes} onClose={onClose} />;
  return <Begin onBegun={setEnrolment} onClose={onClose} />;
}

function Begin({
  onBegun,
  onClose,
}: {
  readonly onBegun: (enrolment: Enrolment) => void;
  readonly onClose: () => void;
}) {
  const enrol = useAction(EnrolSecondFactorDocument);
  return (
    <FormModal
      title="Set up a second factor"
      initialValues={{ password: '' }}
      submit={async (input) => {
        const { secret, otpauthUrl } = await enrol.mutateAsync({ input });
        if (secret !== null && otpauthUrl !== null) onBegun({ secret, otpauthUrl });
      }}
      submitLabel="Go on"
      onClose={() => undefined}
      onCancel={onClose}
    >
      {(form) => (
        <PasswordInput
          label="Password"
          required
          data-autofocus
          autoComplete="current-password"
          {...form.getInputProps('password')}
        />
      )}
    </FormModal>
  );
}

function Confirm({ enrolment, onCodes, onClose }: EnrolProps & { readonly enrolment: Enrolment }) {
  const confirm = useAction(ConfirmSecondFactorDocument);
  const { secret, otpauthUrl } = enrolment;
  const image = `data:image/svg+xml,${encodeURIComponent(encodeQr(otpauthUrl, 'svg'))}`;
  return (
    <FormModal
      title="Set up a second factor"
      initialValues={{ totpCode: '' }}
      submit={async (input) => {
        const { recoveryCodes } = await confirm.mutateAsync({ input });
        onCodes(recoveryCodes);
      }}
      submitLabel="Confirm"
      done="A sign-in now asks for a code, too."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Text size="sm">Scan this with your authenticator app, or type the secret. It is shown once.</Text>
          <Group>
            <img src={image} alt="QR code of the secret" width={160} height={160} />
            <Code>{secret}</Code>
            <CopyButton value={secret} label="Copy the secret" />
          </Group>
          <TextInput
            label="The code that the app shows"
            required
            data-autofocus
            inputMode="numeric"
            autoComplete="one-time-code"
            {...form.getInputProps('totpCode')}
          />
        </>
      )}
    </FormModal>
  );
}
