import { Group } from '@mantine/core';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { FormButton } from '../../kit/form-button';
import { ListPage, type Column } from '../../kit/list-page';
import { StatusBadge } from '../../kit/status-badge';
import { SwitchAction } from '../../kit/switch-action';
import { Headroom } from '../rate-limits/headroom';
import { useUsage, windowOf } from '../rate-limits/use-usage';
import { CreateProductLineForm, UpdateProductLineForm } from './product-line-form';
import {
  ProductLinesDocument,
  UpdateProductLineDocument,
  type ProductLineRowFragment,
} from './product-lines.gql';

type Row = ProductLineRowFragment & { readonly id: string };

const limit = (value: number | null) =>
  value === null ? (
    <None says="preset" />
  ) : value === 0 ? (
    <None says="unlimited" />
  ) : (
    <CountCell value={value} />
  );

const columns: readonly Column<Row>[] = [
  { title: 'Code', cell: ({ code }) => <strong>{code}</strong> },
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  { title: 'An hour', align: 'end', cell: ({ hourLimit }) => limit(hourLimit) },
  { title: 'A day', align: 'end', cell: ({ dayLimit }) => limit(dayLimit) },
];

/** Product lines, with what is left of their limits now. */
export function ProductLinesPage() {
  const query = useOperation(ProductLinesDocument, {});
  const { usage } = useUsage({});
  const live: readonly Column<Row>[] = (['HOUR', 'DAY'] as const).map((window) => ({
    title: window === 'HOUR' ? 'Used in the last hour' : 'Used in the last day',
    cell: ({ code }) => (
      <Headroom window={windowOf(usage, { productCode: code, scope: 'PRODUCT_LINE', window })} />
    ),
  }));
  return (
    <ListPage
      title="Product lines"
      query={query}
      list={({ productLines: lines }) => ({
        total: lines.length,
        items: lines.map((line) => ({ ...line, id: line.code })),
      })}
      search={{}}
      columns={[
        ...columns,
        ...live,
        { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
        { title: '', align: 'end', cell: (line) => <Actions line={line} /> },
      ]}
      empty="A product line is an app or site in which codes are redeemed. There is none yet."
      actions={
        <FormButton
          label="New product line"
          icon={<Plus size={16} aria-hidden />}
          form={(close) => <CreateProductLineForm onClose={close} />}
        />
      }
    />
  );
}

function Actions({ line }: { readonly line: Row }) {
  const update = useAction(UpdateProductLineDocument);
  const { code, status, version: expectedVersion } = line;
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <FormButton
          label="Edit"
          name={`Edit ${code}`}
          button={{ size: 'xs', variant: 'default' }}
          form={(close) => <UpdateProductLineForm line={line} onClose={close} />}
        />
        <SwitchAction
          what="product line"
          name={code}
          isEnabled={status === 'ACTIVE'}
          off={`Nothing can be redeemed in ${code} until it is enabled again. Users get PRODUCT_NOT_ACTIVE.`}
          on={`Codes can be redeemed in ${code} again.`}
          run={async (enabled) =>
            update.mutateAsync({
              input: { code, status: enabled ? 'ACTIVE' : 'DISABLED', expectedVersion },
            })
          }
        />
      </Group>
    </Can>
  );
}
