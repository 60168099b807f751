import { Button, Card, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useAction } from '../../api/queries';
import { useViewer } from '../../api/viewer';
import { FormModal } from '../../kit/form-modal';
import { PageTitle } from '../../kit/page-title';
import { ChangeStaffPasswordDocument, RemoveSecondFactorDocument } from './account.gql';
import { EnrolSecondFactor } from './enrol-second-factor';

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
        form={ChangePassword}
        label="Change password"
      />
      <Section
        title="Second factor"
        says="A sign-in then asks for a code of your authenticator app, too."
        form={EnrolSecondFactor}
        label="Set up"
      >
        <Opening form={RemoveSecondFactor} label="Remove" />
      </Section>
    </Stack>
  );
}

interface SectionProps {
  readonly title: string;
  readonly says: string;
  readonly label: string;
  readonly form: (props: FormProps) => ReactNode;
  readonly children?: ReactNode;
}

function Section({ title, says, label, form, children }: SectionProps) {
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
        <Group gap="xs">
          <Opening form={form} label={label} />
          {children}
        </Group>
      </Group>
    </Card>
  );
}

function Opening({ form: Form, label }: Pick<SectionProps, 'form' | 'label'>) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        {label}
      </Button>
      {isOpen && <Form onClose={close} />}
    </>
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
          <TextInput
            label="Code of your authenticator app"
            required
            inputMode="numeric"
            autoComplete="one-time-code"
            {...form.getInputProps('totpCode')}
          />
        </>
      )}
    </FormModal>
  );
}
