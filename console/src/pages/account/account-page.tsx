import { Card, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useAction, useOperation } from '../../api/queries';
import { useViewer } from '../../api/viewer';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';
import { PageTitle } from '../../kit/page-title';
import { TextLink } from '../../kit/text-link';
import {
  ChangeStaffPasswordDocument,
  OwnSecondFactorDocument,
  RemoveSecondFactorDocument,
} from './account.gql';
import { CodeField } from './code-field';
import { EnrolSecondFactor } from './enrol-second-factor';
import { RecoveryCodes, RegenerateRecoveryCodes } from './recovery-codes';

interface FormProps {
  readonly onClose: () => void;
}

/** What members of staff change about themselves. */
export function AccountPage() {
  const { staff } = useViewer();
  if (staff === null) return <PageTitle title="Account" />;
  return (
    <Stack gap="sm" maw={640}>
      <PageTitle title="Your account" />
      <Text c="dimmed" size="sm">
        {staff.name} · {staff.email}
      </Text>
      <Section
        title="Password"
        says="A change ends all your other sessions."
        label="Change password"
        form={(close) => <ChangePassword onClose={close} />}
      />
      <SecondFactor />
      <TextLink to="/sessions" size="sm">
        Your sessions
      </TextLink>
    </Stack>
  );
}

function SecondFactor() {
  const { data } = useOperation(OwnSecondFactorDocument, {});
  // Kept here: the section that has made them is replaced when the account is read again.
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const own = data?.viewer?.staff;
  if (own === undefined || own === null) return null;
  return (
    <>
      {own.hasSecondFactor ? (
        <>
          <Section
            title="Second factor"
            says="A sign-in asks for a code of your authenticator app, too."
            label="Remove"
            form={(close) => <RemoveSecondFactor onClose={close} />}
          />
          <Section
            title="Recovery codes"
            says={`${own.recoveryCodesLeft ?? 0} are left. Each signs you in once without the app.`}
            label="Make new codes"
            form={(close) => <RegenerateRecoveryCodes onCodes={setCodes} onClose={close} />}
          />
        </>
      ) : (
        <Section
          title="Second factor"
          says="A sign-in then asks for a code of your authenticator app, too."
          label="Set up"
          form={(close) => <EnrolSecondFactor onCodes={setCodes} onClose={close} />}
        />
      )}
      {codes !== null && <RecoveryCodes codes={codes} onClose={() => setCodes(null)} />}
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly says: string;
  readonly label: string;
  readonly form: (close: () => void) => ReactNode;
}

function Section({ title, says, label, form }: SectionProps) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Group justify="space-between">
        <div>
          <Text component="h2" fw={600}>
            {title}
          </Text>
          <Text size="sm" c="dimmed">
            {says}
          </Text>
        </div>
        <FormButton label={label} permission="READ" button={{ variant: 'default' }} form={form} />
      </Group>
    </Card>
  );
}

function ChangePassword({ onClose }: FormProps) {
  const change = useAction(ChangeStaffPasswordDocument);
  return (
    <FormModal
      title="Change password"
      initialValues={{ currentPassword: '', newPassword: '', again: '' }}
      validate={{
        newPassword: (password) => (password.length < 12 ? 'At least 12 characters.' : null),
        again: (again, { newPassword }) => (again === newPassword ? null : 'The two passwords differ.'),
      }}
      submit={async ({ again: _same, ...input }) => change.mutateAsync({ input })}
      submitLabel="Change password"
      done="The password was changed, and your other sessions have ended."
      onClose={onClose}
    >
      {(form) => (
        <>
          <PasswordInput
            label="Present password"
            required
            data-autofocus
            autoComplete="current-password"
            {...form.getInputProps('currentPassword')}
          />
          <PasswordInput
            label="New password"
            required
            autoComplete="new-password"
            {...form.getInputProps('newPassword')}
          />
          <PasswordInput
            label="The same password"
            required
            autoComplete="new-password"
            {...form.getInputProps('again')}
          />
        </>
      )}
    </FormModal>
  );
}

function RemoveSecondFactor({ onClose }: FormProps) {
  const remove = useAction(RemoveSecondFactorDocument);
  return (
    <FormModal
      title="Remove the second factor"
      initialValues={{ password: '', totpCode: '' }}
      submit={async (input) => remove.mutateAsync({ input })}
      submitLabel="Remove"
      done="A sign-in asks for no code any more."
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
