import { Select, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useAction } from '../../api/queries';
import { FormModal } from '../../kit/form-modal';
import { labelOf } from '../../kit/format';
import type { Invitation } from './invitation-link';
import { ROLES, ROLE_TEXTS } from './staff-terms';
import { InviteStaffDocument, UpdateStaffDocument, type StaffRole, type StaffRowFragment } from './staff.gql';

const BLANK = { name: '', email: '', role: 'OPERATOR' as StaffRole };

const validate = {
  name: (name: string) => (name.trim() === '' ? 'Enter a name.' : null),
  email: (email: string) => (email.includes('@') ? null : 'An address such as jo@example.com.'),
};

export function InviteStaffForm({
  onClose,
  onInvitation,
}: {
  readonly onClose: () => void;
  readonly onInvitation: (invitation: Invitation) => void;
}) {
  const invite = useAction(InviteStaffDocument);
  const submit = async (input: typeof BLANK): Promise<void> => {
    const { invitationToken, expiresAt } = await invite.mutateAsync({ input });
    if (invitationToken !== null) onInvitation({ email: input.email, token: invitationToken, expiresAt });
  };
  return (
    <FormModal
      title="Invite a member of staff"
      initialValues={BLANK}
      validate={validate}
      submit={submit}
      submitLabel="Make the invitation"
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <TextInput label="Email" type="email" required {...form.getInputProps('email')} />
          <RoleField form={form} />
        </>
      )}
    </FormModal>
  );
}

export function UpdateStaffForm({
  staff: { id: staffId, name, role, version: expectedVersion },
  onClose,
}: {
  readonly staff: StaffRowFragment;
  readonly onClose: () => void;
}) {
  const update = useAction(UpdateStaffDocument);
  return (
    <FormModal
      title={`Edit ${name}`}
      initialValues={{ name, role }}
      validate={{ name: validate.name }}
      submit={async (values) => update.mutateAsync({ input: { ...values, staffId, expectedVersion } })}
      submitLabel="Save"
      done="The account was changed."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput label="Name" required data-autofocus {...form.getInputProps('name')} />
          <RoleField form={form} />
        </>
      )}
    </FormModal>
  );
}

function RoleField<Values extends { readonly role: StaffRole }>({
  form,
}: {
  readonly form: UseFormReturnType<Values>;
}) {
  return (
    <Select
      label="Role"
      description={ROLE_TEXTS[form.values.role]}
      allowDeselect={false}
      data={ROLES.map((value) => ({ value, label: labelOf(value) }))}
      {...form.getInputProps('role')}
    />
  );
}
