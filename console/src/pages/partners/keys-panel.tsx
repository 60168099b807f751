import { useAction } from '../../api/queries';
import { Can } from '../../kit/can';
import { None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { TablePanel } from '../../kit/table-panel';
import { StatusBadge } from '../../kit/status-badge';
import { RevokeApiKeyDocument, type PartnerQuery } from './partners.gql';

type Key = NonNullable<PartnerQuery['partner']>['apiKeys'][number];

export function KeysPanel({ keys }: { readonly keys: readonly Key[] }) {
  return (
    <TablePanel
      title="Keys"
      heads={['Name', 'Ends with', 'Status', 'Scopes', 'Product lines', 'Last used', 'Until', '']}
      rows={keys.map((key) => ({
        key: key.id,
        cells: [
          key.name,
          `…${key.lastFour}`,
          <StatusBadge value={key.revokedAt === null ? 'ACTIVE' : 'REVOKED'} />,
          key.scopes.join(', '),
          key.productCodes === null ? <None says="all" /> : key.productCodes.join(', '),
          <TimeCell value={key.lastUsedAt} />,
          <TenantTimeCell value={key.expiresAt} />,
          key.revokedAt === null && <Revoke apiKey={key} />,
        ],
      }))}
      empty="The partner has no key yet."
    />
  );
}

function Revoke({ apiKey: { id: keyId, name } }: { readonly apiKey: Key }) {
  const revoke = useAction(RevokeApiKeyDocument);
  return (
    <Can permission="CHANGE">
      <ConfirmAction
        label="Revoke"
        name={`Revoke ${name}`}
        says={`The key ${name} is refused within a second, and so are the user tokens that it has made. This cannot be undone.`}
        isDangerous
        run={async () => revoke.mutateAsync({ input: { keyId } })}
        done="The key is revoked."
        button={{ size: 'xs' }}
      />
    </Can>
  );
}
