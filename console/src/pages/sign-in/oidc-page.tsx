import { Alert, Loader } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '../../api/failure';
import { TextLink } from '../../kit/text-link';
import { Entrance } from './entrance';
import { completeOidc } from './oidc';

export function OidcPage() {
  const navigate = useNavigate();
  const [failure, setFailure] = useState<string | null>(null);
  const isSent = useRef(false);
  useEffect(() => {
    if (isSent.current) return;
    isSent.current = true;
    completeOidc(location.href).then(
      async () => navigate({ to: '/', replace: true }),
      (error: unknown) => setFailure(messageOf(error)),
    );
  }, [navigate]);
  return (
    <Entrance title="Signing in" says="The sign-in provider has sent you back.">
      {failure === null ? (
        <Loader aria-label="Signing in" />
      ) : (
        <Alert color="red" role="alert">
          {failure} <TextLink to="/sign-in">Back to the sign-in</TextLink>
        </Alert>
      )}
    </Entrance>
  );
}
