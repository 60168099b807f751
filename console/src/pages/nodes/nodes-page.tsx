import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useOperation } from '../../api/queries';
import { IdCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { ChoiceFilter } from '../../kit/filters';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { SecretModal } from '../../kit/secret-modal';
import { StatusBadge } from '../../kit/status-badge';
import { NodeActions, type NodeToken } from './node-actions';
import { NodeForm } from './node-form';
import { NodesDocument, type NodeRowFragment } from './nodes.gql';

const route = getRouteApi('/shell/nodes');

const columns: readonly Column<NodeRowFragment>[] = [
  { title: 'Name', cell: ({ name }) => <strong>{name}</strong> },
  { title: 'Address', cell: ({ address }) => address },
  { title: 'Tags', cell: ({ tags }) => (tags.length === 0 ? <None /> : tags.join(', ')) },
  {
    title: 'Status',
    cell: ({ enabled }) => <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />,
  },
  { title: 'Id', cell: ({ id }) => <IdCell value={id} /> },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Servers that subscribers of plans reach. */
export function NodesPage() {
  const { status, ...search } = route.useSearch();
  const filter = { enabled: status === undefined ? null : status === 'ENABLED' };
  const query = useOperation(NodesDocument, { ...pageVariables(search), filter });
  const [token, setToken] = useState<NodeToken | null>(null);
  return (
    <>
      <ListPage
        title="Nodes"
        query={query}
        list={({ nodes }) => nodes}
        search={search}
        columns={[
          ...columns,
          { title: '', align: 'end', cell: (node) => <NodeActions node={node} onToken={setToken} /> },
        ]}
        filters={<ChoiceFilter name="status" label="Status" values={['ENABLED', 'DISABLED']} />}
        empty="No node fits. A node is a server that subscribers of a plan reach."
        actions={
          <FormButton
            label="New node"
            icon={<Plus size={16} aria-hidden />}
            form={(close) => <NodeForm node={null} onClose={close} />}
          />
        }
      />
      {token !== null && (
        <SecretModal title={`Token of ${token.name}`} secret={token.token} onClose={() => setToken(null)}>
          The node signs in by it and asks who may use it, until <TenantTimeCell value={token.expiresAt} />.
          It is not shown again.
        </SecretModal>
      )}
    </>
  );
}
