import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { act } from '../../api/graphql';
import { useRefusals } from '../../kit/use-refusals';
import { Entrance } from './entrance';
import { AcceptStaffInvitationDocument } from './sign-in.gql';

/** `rki_<tenant>.<account>.<secret>`, as the invitation gives it. */
const tenantOf = (token: string): string => /^[a-z]+_([A-Z0-9_]{2,24})\./.exec(token)?.[1] ?? '';

/** Sets the password of an invited account. A link may bring the token behind `#token=`. */
export function InvitationPage() {
  const navigate = useNavigate();
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? '');
  const form = useForm({
    initialValues: { invitationToken: token, password: '', again: '' },
    validate: {
      password: (password) => (password.length < 12 ? 'At least 12 characters.' : null),
      again: (again, { password }) => (again === password ? null : 'The two passwords differ.'),
    },
  });
  const { failure, attempt } = useRefusals(form);
  const accept = async ({ password, ...typed }: typeof form.values): Promise<void> => {
    const invitationToken = typed.invitationToken.trim();
    await attempt(async () => {
      const { staff } = await act(AcceptStaffInvitationDocument, { input: { invitationToken, password } });
      const search = { tenant: tenantOf(invitationToken), email: staff?.email ?? '' };
      await navigate({ to: '/sign-in', search });
    });
  };
  return (
    <Entrance
      title="Accept an invitation"
      says="Set the password of your account. The invitation works once."
    >
      <form
        noValidate
        onSubmit={form.onSubmit((values) => void accept(values))}
        aria-label="Accept an invitation"
      >
        <Stack gap="sm">
          {failure !== null && (
            <Alert color="red" role="alert">
              {failure}
            </Alert>
          )}
          <TextInput
            label="Invitation"
            required
            autoComplete="off"
            {...form.getInputProps('invitationToken')}
          />
          <PasswordInput
            label="Password"
            description="12 to 128 characters."
            required
            autoComplete="new-password"
            {...form.getInputProps('password')}
          />
          <PasswordInput
            label="The same password"
            required
            autoComplete="new-password"
            {...form.getInputProps('again')}
          />
          <Button type="submit" mt="xs">
            Set the password
          </Button>
        </Stack>
      </form>
    </Entrance>
  );
}
