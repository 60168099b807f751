import { Button, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Plus } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { ListPage, type Column } from '../../kit/list-page';
import { StatusBadge } from '../../kit/status-badge';
import { Headroom, type Window } from './headroom';
import { CreateProductLineForm, UpdateProductLineForm } from './product-line-form';
import {
  ProductLinesDocument,
  ProductLineUsageDocument,
  UpdateProductLineDocument,
  type ProductLineRowFragment,
} from './product-lines.gql';

const USAGE_EVERY_MS = 2000;

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
  const usage = useOperation(ProductLineUsageDocument, {}, USAGE_EVERY_MS);
  const [isCreating, { open, close }] = useDisclosure();
  const windows = usage.data?.rateLimitUsage.windows ?? null;
  const live: readonly Column<Row>[] = (['HOUR', 'DAY'] as const).map((name) => ({
    title: name === 'HOUR' ? 'Used in the last hour' : 'Used in the last day',
    cell: ({ code }) => <Headroom window={windowOf(windows, code, name)} />,
  }));
  return (
    <>
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
          <Can permission="CHANGE">
            <Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
              New product line
            </Button>
          </Can>
        }
      />
      {isCreating && <CreateProductLineForm onClose={close} />}
    </>
  );
}

function windowOf(windows: readonly Window[] | null, code: string, name: Window['window']) {
  if (windows === null) return null;
  return windows.find(
    (each) => each.productCode === code && each.window === name && each.scope === 'PRODUCT_LINE',
  );
}

function Actions({ line }: { readonly line: Row }) {
  const [isEditing, { open, close }] = useDisclosure();
  const update = useAction(UpdateProductLineDocument);
  const { code, status, version: expectedVersion } = line;
  const next = status === 'ACTIVE' ? 'DISABLED' : 'ACTIVE';
  const label = status === 'ACTIVE' ? 'Disable' : 'Enable';
  return (
    <Can permission="CHANGE">
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <Button size="xs" variant="default" aria-label={`Edit ${code}`} onClick={open}>
          Edit
        </Button>
        <ConfirmAction
          label={label}
          name={`${label} ${code}`}
          says={
            status === 'ACTIVE'
              ? `Nothing can be redeemed in ${code} until it is enabled again. Users get PRODUCT_NOT_ACTIVE.`
              : `Codes can be redeemed in ${code} again.`
          }
          isDangerous={status === 'ACTIVE'}
          run={async () => update.mutateAsync({ input: { code, status: next, expectedVersion } })}
          done={`${code} is ${next === 'ACTIVE' ? 'enabled' : 'disabled'}.`}
          button={{ size: 'xs' }}
        />
      </Group>
      {isEditing && <UpdateProductLineForm line={line} onClose={close} />}
    </Can>
  );
}
