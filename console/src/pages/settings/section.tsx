import { SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { FormButton } from '../../kit/form-button';
import { Panel } from '../../kit/panel';

interface SectionProps {
  readonly title: string;
  readonly facts: readonly (readonly [string, ReactNode])[];
  readonly empty?: string;
  readonly form: (onClose: () => void) => ReactNode;
}

/** A part of the settings, with the form that changes it. */
export function Section({ title, facts, empty, form }: SectionProps) {
  const edit = (
    <FormButton label="Edit" name={`Edit ${title}`} button={{ size: 'xs', variant: 'default' }} form={form} />
  );
  return (
    <Panel title={title} aside={edit}>
      {facts.length === 0 ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" m={0}>
          {facts.map(([label, value]) => (
            <div key={label}>
              <Text component="dt" size="xs" c="dimmed">
                {label}
              </Text>
              <Text component="dd" size="sm" m={0} style={{ overflowWrap: 'anywhere' }}>
                {value}
              </Text>
            </div>
          ))}
        </SimpleGrid>
      )}
    </Panel>
  );
}
