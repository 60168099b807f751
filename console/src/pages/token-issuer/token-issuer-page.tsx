import { Alert, Button, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { messageOf } from '../../api/failure';
import { useAction, useOperation } from '../../api/queries';
import { CanCall } from '../../kit/can';
import { None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { Facts } from '../../kit/detail-page';
import { FormModal } from '../../kit/form-modal';
import { PageTitle } from '../../kit/page-title';
import { StatusBadge } from '../../kit/status-badge';
import { SetUserTokenIssuerDocument, TokenIssuerDocument, type TokenIssuerQuery } from './token-issuer.gql';

type Issuer = NonNullable<TokenIssuerQuery['userTokenIssuer']>;

/** The tenant's own server that signs users in, by tokens that public keys verify. */
export function TokenIssuerPage() {
  const query = useOperation(TokenIssuerDocument, {});
  const issuer = query.data?.userTokenIssuer;
  const [isEditing, { open, close }] = useDisclosure();
  return (
    <Stack gap="sm">
      <PageTitle
        title="Token issuer"
        actions={
          <CanCall operation="setUserTokenIssuer">
            {issuer !== undefined && issuer !== null && <Switch issuer={issuer} />}
            <Button onClick={open} disabled={issuer === undefined}>
              {issuer === null ? 'Set up' : 'Edit'}
            </Button>
          </CanCall>
        }
      />
      {query.isError && (
        <Alert color="red" title="This could not be read" role="alert">
          {messageOf(query.error)}
        </Alert>
      )}
      {issuer === undefined && !query.isError && <Text size="sm">Loading …</Text>}
      {issuer === null && (
        <Text size="sm">
          Users sign in by tokens of this program. The tenant’s own server can sign them in instead: its
          tokens are verified by the public keys that it publishes as a JSON Web Key Set.
        </Text>
      )}
      {issuer !== undefined && issuer !== null && <Shown issuer={issuer} />}
      {isEditing && <IssuerForm issuer={issuer ?? null} onClose={close} />}
    </Stack>
  );
}

function Shown({
  issuer: { issuer, audience, jwksUrl, tagsClaim, enabled, createdAt },
}: {
  readonly issuer: Issuer;
}) {
  return (
    <Facts
      title="Issuer"
      facts={[
        ['Claim iss', issuer],
        ['Claim aud', audience],
        ['Public keys', jwksUrl],
        ['Claim with tags', tagsClaim ?? <None says="tags stay" />],
        ['Status', <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />],
        ['Set up', <TimeCell value={createdAt} />],
      ]}
    />
  );
}

const inputOf = ({ issuer, audience, jwksUrl, tagsClaim, enabled, version }: Issuer) => ({
  issuer,
  audience,
  jwksUrl,
  tagsClaim,
  enabled,
  expectedVersion: version,
});

function Switch({ issuer }: { readonly issuer: Issuer }) {
  const set = useAction(SetUserTokenIssuerDocument);
  const { enabled } = issuer;
  return (
    <ConfirmAction
      label={enabled ? 'Disable' : 'Enable'}
      says={
        enabled
          ? 'Its tokens are refused within a second, and the sockets of its users end.'
          : 'Its tokens are good again, as long as they have not expired.'
      }
      isDangerous={enabled}
      run={async () => set.mutateAsync({ input: { ...inputOf(issuer), enabled: !enabled } })}
      done={enabled ? 'The issuer is disabled.' : 'The issuer is enabled.'}
    />
  );
}

function IssuerForm({ issuer, onClose }: { readonly issuer: Issuer | null; readonly onClose: () => void }) {
  const set = useAction(SetUserTokenIssuerDocument);
  const given = issuer === null ? {} : { enabled: issuer.enabled, expectedVersion: issuer.version };
  return (
    <FormModal
      title={issuer === null ? 'Set up a token issuer' : 'Edit the token issuer'}
      initialValues={{
        issuer: issuer?.issuer ?? 'https://',
        audience: issuer?.audience ?? '',
        jwksUrl: issuer?.jwksUrl ?? 'https://',
        tagsClaim: issuer?.tagsClaim ?? '',
      }}
      submit={async ({ tagsClaim, ...values }) =>
        set.mutateAsync({ input: { ...values, ...given, tagsClaim: tagsClaim === '' ? null : tagsClaim } })
      }
      submitLabel="Save"
      done="Tokens of the issuer are judged by this from now on."
      onClose={onClose}
    >
      {(form) => (
        <>
          <TextInput
            label="Claim iss"
            description="As the tokens name their issuer; one tenant has it."
            required
            data-autofocus
            {...form.getInputProps('issuer')}
          />
          <TextInput label="Claim aud" required {...form.getInputProps('audience')} />
          <TextInput
            label="Public keys"
            description="The address of a JSON Web Key Set, at a host of JWKS_HOSTS."
            required
            {...form.getInputProps('jwksUrl')}
          />
          <TextInput
            label="Claim with tags"
            description="Without it the tags of users stay as they are."
            {...form.getInputProps('tagsClaim')}
          />
        </>
      )}
    </FormModal>
  );
}
