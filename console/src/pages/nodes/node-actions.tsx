import { Group } from '@mantine/core';
import { useAction } from '../../api/queries';
import { Can } from '../../kit/can';
import { ConfirmAction } from '../../kit/confirm-action';
import { FormButton } from '../../kit/form-button';
import { SwitchAction } from '../../kit/switch-action';
import { NodeForm } from './node-form';
import {
  CreateNodeTokenDocument,
  DeleteNodeDocument,
  UpdateNodeDocument,
  type NodeRowFragment,
} from './nodes.gql';

export interface NodeToken {
  readonly name: string;
  readonly token: string;
  readonly expiresAt: string;
}

interface NodeProps {
  readonly node: NodeRowFragment;
}

interface NodeActionsProps extends NodeProps {
  readonly onToken: (token: NodeToken) => void;
}

export function NodeActions({ node, onToken }: NodeActionsProps) {
  const update = useAction(UpdateNodeDocument);
  const { id: nodeId, name, enabled, version: expectedVersion } = node;
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Edit"
          name={`Edit ${name}`}
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <NodeForm node={node} onClose={close} />}
        />
        <Token node={node} onToken={onToken} />
        <SwitchAction
          what="node"
          name={name}
          isEnabled={enabled}
          off={`No subscriber sees “${name}” any more, and it refuses all of them until it is enabled again.`}
          on={`Subscribers of the plans that open “${name}” see it again.`}
          run={async (next) => update.mutateAsync({ input: { nodeId, enabled: next, expectedVersion } })}
        />
        <Delete node={node} />
      </Group>
    </Can>
  );
}

function Token({ node: { id: nodeId, name }, onToken }: NodeActionsProps) {
  const create = useAction(CreateNodeTokenDocument);
  const run = async (): Promise<void> => {
    const { token, expiresAt } = await create.mutateAsync({ input: { nodeId } });
    if (token !== null && expiresAt !== null) onToken({ name, token, expiresAt });
  };
  return (
    <ConfirmAction
      label="Token"
      name={`Token for ${name}`}
      says="A token for 15 minutes is made and shown once. By it the node reads who may use it. Earlier tokens stay valid."
      run={run}
      done="The token was made."
      button={{ size: 'xs' }}
    />
  );
}

function Delete({ node: { id: nodeId, name } }: NodeProps) {
  const remove = useAction(DeleteNodeDocument);
  return (
    <ConfirmAction
      label="Delete"
      name={`Delete ${name}`}
      says={`“${name}” is deleted, and its tokens and connections end within a second. This cannot be undone.`}
      typed={name}
      isDangerous
      run={async () => remove.mutateAsync({ input: { nodeId } })}
      done="The node is deleted."
      button={{ size: 'xs' }}
    />
  );
}
