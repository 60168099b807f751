import { Alert, Button, Loader, PasswordInput, Stack, TextInput, type TextInputProps } from '@mantine/core';
import { useForm } from '@mantine/form';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { messageOf, Refusal } from '../../api/failure';
import { queryClient } from '../../api/queries';
import { session } from '../../api/session';
import { useRefusals } from '../../kit/use-refusals';
import { beginOidc, hasOidc } from './oidc';
import { Entrance } from './entrance';
import { rememberedTenant, rememberTenant } from './tenant';

const route = getRouteApi('/sign-in');

/** Signs in by a password, a provider, or the one-time link that `npm start` prints. */
export function SignInPage() {
  const { to } = route.useSearch();
  const [link] = useState(takeLink);
  const enter = useEnter(to);
  return link === null ? <PasswordForm enter={enter} /> : <LinkPage link={link} enter={enter} />;
}

/** The token stands behind `#`, which browsers do not send; it is removed from the address at once. */
function takeLink(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('link');
  if (token !== null) history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}

/** Goes on to the page that was asked for, if it is one of the console. */
function useEnter(to: string | undefined): () => Promise<void> {
  const router = useRouter();
  return async () => {
    queryClient.clear();
    await router.invalidate();
    const isOwn = to?.startsWith('/') === true && !to.startsWith('//') && !to.startsWith('/sign-in');
    router.history.replace(`/console${isOwn ? to : '/'}`);
  };
}

function LinkPage({ link, enter }: { readonly link: string; readonly enter: () => Promise<void> }) {
  const [failure, setFailure] = useState<string | null>(null);
  const isSent = useRef(false);
  useEffect(() => {
    // It works once, and React runs effects twice in development.
    if (isSent.current) return;
    isSent.current = true;
    session.openLink(link).then(enter, (error: unknown) => setFailure(messageOf(error)));
  }, [link, enter]);
  if (failure !== null) return <PasswordForm enter={enter} failure={failure} />;
  return (
    <Entrance title="Signing in" says="The one-time link is being opened.">
      <Loader aria-label="Signing in" />
    </Entrance>
  );
}

interface PasswordFormProps {
  readonly enter: () => Promise<void>;
  readonly failure?: string | null;
}

function PasswordForm({ enter, failure: given = null }: PasswordFormProps) {
  const { form, failure, needsCode, isBusy, signIn, beginAtProvider } = usePasswordSignIn(enter);
  const shown = failure ?? given;
  return (
    <Entrance title="Sign in to the console" says="For members of staff.">
      <form onSubmit={form.onSubmit((values) => void signIn(values))} aria-label="Sign in">
        <Stack gap="sm">
          {shown !== null && (
            <Alert color="red" role="alert">
              {shown}
            </Alert>
          )}
          <TextInput
            label="Tenant"
            required
            autoComplete="organization"
            {...form.getInputProps('tenantId')}
          />
          <TextInput
            label="E-mail"
            required
            type="email"
            autoComplete="username"
            {...form.getInputProps('email')}
          />
          <PasswordInput
            label="Password"
            required
            autoComplete="current-password"
            {...form.getInputProps('password')}
          />
          {needsCode && <CodeInput {...form.getInputProps('totpCode')} />}
          <Button type="submit" loading={isBusy} mt="xs">
            Sign in
          </Button>
          {hasOidc() && (
            <Button variant="default" onClick={() => void beginAtProvider()}>
              Sign in with the provider
            </Button>
          )}
        </Stack>
      </form>
    </Entrance>
  );
}

function CodeInput(props: TextInputProps) {
  return (
    <TextInput
      label="Code of your authenticator app"
      description="Or a recovery code."
      required
      autoFocus
      autoComplete="one-time-code"
      {...props}
    />
  );
}

function usePasswordSignIn(enter: () => Promise<void>) {
  const { tenant = rememberedTenant(), email = '' } = route.useSearch();
  const form = useForm({ initialValues: { tenantId: tenant, email, password: '', totpCode: '' } });
  const { failure, attempt } = useRefusals(form);
  const [needsCode, setNeedsCode] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const send = async ({ totpCode, ...typed }: typeof form.values): Promise<void> => {
    const code = needsCode ? { totpCode: totpCode.trim() } : {};
    await session.signIn({ ...typed, ...code }).catch((error: unknown) => {
      // The password is right: the second step begins, which is no failure.
      const isFirstStep = !needsCode && error instanceof Refusal && error.code === 'TOTP_REQUIRED';
      if (!isFirstStep) throw error;
      setNeedsCode(true);
    });
  };
  const signIn = async (typed: typeof form.values): Promise<void> => {
    const values = { ...typed, tenantId: typed.tenantId.trim().toUpperCase() };
    setBusy(true);
    await attempt(async () => send(values));
    setBusy(false);
    if (session.state !== 'SIGNED_IN') return;
    rememberTenant(values.tenantId);
    await enter();
  };
  const beginAtProvider = async (): Promise<boolean> => attempt(async () => beginOidc(form.values.tenantId));
  return { form, failure, needsCode, isBusy, signIn, beginAtProvider };
}
