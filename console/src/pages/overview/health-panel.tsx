import { Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { TimeCell } from '../../kit/cells';
import { countText, labelOf } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { StatusBadge } from '../../kit/status-badge';
import type { Overview } from './totals';

/** Whether each store and each process answers, and how far the consumers of events are behind. */
export function HealthPanel({ overview: { stores, processes, consumers } }: { readonly overview: Overview }) {
  return (
    <Panel title="Health">
      <Stack gap={6} component="ul" m={0} p={0}>
        {stores.map(({ store, isUp, version, answeredInMs }) => (
          <Row
            key={store}
            name={labelOf(store)}
            detail={isUp ? `${version ?? ''}, answered in ${answeredInMs} ms` : 'does not answer'}
          >
            <StatusBadge value={isUp ? 'UP' : 'DOWN'} tone={isUp ? 'good' : 'bad'} />
          </Row>
        ))}
        {processes?.map(({ role, version, startedAt, seenAt, isAlive }) => (
          <Row
            key={`${role} ${startedAt}`}
            name={`Process ${role}`}
            detail={
              <>
                {version}, {isAlive ? 'since ' : 'last seen '}
                <TimeCell value={isAlive ? startedAt : seenAt} />
              </>
            }
          >
            <StatusBadge value={isAlive ? 'ALIVE' : 'NOT_SEEN'} tone={isAlive ? 'good' : 'warn'} />
          </Row>
        ))}
        {consumers?.map(({ consumer, waiting, since }) => (
          <Row
            key={consumer}
            name={labelOf(consumer)}
            detail={
              since === null ? (
                'up to date with the events'
              ) : (
                <>
                  events wait since <TimeCell value={since} precision="SECOND" />
                </>
              )
            }
          >
            {countText(waiting)} waiting
          </Row>
        ))}
      </Stack>
    </Panel>
  );
}

interface RowProps {
  readonly name: string;
  readonly detail: ReactNode;
  readonly children: ReactNode;
}

function Row({ name, detail, children }: RowProps) {
  return (
    <Group component="li" justify="space-between" wrap="nowrap" style={{ listStyle: 'none' }}>
      <div style={{ minWidth: 0 }}>
        <Text size="sm">{name}</Text>
        <Text size="xs" c="dimmed" component="div" truncate>
          {detail}
        </Text>
      </div>
      <Text size="sm" component="div" style={{ flexShrink: 0 }}>
        {children}
      </Text>
    </Group>
  );
}
