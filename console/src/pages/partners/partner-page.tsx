import { Group } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { DetailPage, Facts } from '../../kit/detail-page';
import { SecretModal } from '../../kit/secret-modal';
import { StatusBadge } from '../../kit/status-badge';
import { CreateKeyButton, RegisterOperationsButton } from './partner-forms';
import { KeysPanel } from './keys-panel';
import { PartnerDocument, UpdatePartnerDocument, type PartnerRowFragment } from './partners.gql';

const route = getRouteApi('/shell/partners/$id');

/** One partner: keys, and the operations that its server may send. */
export function PartnerPage() {
  const { id } = route.useParams();
  const query = useOperation(PartnerDocument, { id });
  const [key, setKey] = useState<string | null>(null);
  return (
    <>
      <DetailPage
        query={query}
        row={({ partner }) => partner}
        title={({ name }) => name}
        back={{ to: '/partners', label: 'Partners' }}
        actions={(partner) => (
          <Can permission="CHANGE">
            <Group gap="xs">
              <CreateKeyButton partnerId={partner.id} onKey={setKey} />
              <RegisterOperationsButton partner={partner} />
              <SwitchButton partner={partner} />
            </Group>
          </Can>
        )}
      >
        {(partner) => (
          <>
            <About partner={partner} />
            <KeysPanel keys={partner.apiKeys} />
          </>
        )}
      </DetailPage>
      {key !== null && (
        <SecretModal title="New API key" secret={key} onClose={() => setKey(null)}>
          The partner&apos;s server sends it as authorization: Bearer. It is not shown again.
        </SecretModal>
      )}
    </>
  );
}

function About({ partner: { id, status, createdAt, operations } }: { readonly partner: PartnerRowFragment }) {
  return (
    <Facts
      title="Partner"
      facts={[
        ['Status', <StatusBadge value={status} />],
        ['Id', <IdCell value={id} />],
        ['Created', <TimeCell value={createdAt} />],
        ['Registered operations', operations?.operationCount ?? <None />],
        ['Registered', <TimeCell value={operations?.registeredAt} />],
        ['Registered by', operations?.registeredBy ?? <None />],
      ]}
    />
  );
}

function SwitchButton({
  partner: { id: partnerId, name, status, version },
}: {
  readonly partner: PartnerRowFragment;
}) {
  const update = useAction(UpdatePartnerDocument);
  const isActive = status === 'ACTIVE';
  return (
    <ConfirmAction
      label={isActive ? 'Disable' : 'Enable'}
      says={
        isActive
          ? `All keys of ${name} are refused within a second, and so are the user tokens that they have made.`
          : `The keys of ${name} work again.`
      }
      isDangerous={isActive}
      run={async () =>
        update.mutateAsync({
          input: { partnerId, status: isActive ? 'DISABLED' : 'ACTIVE', expectedVersion: version },
        })
      }
      done={isActive ? 'The partner is disabled.' : 'The partner is enabled.'}
    />
  );
}
