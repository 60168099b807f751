import { SegmentedControl } from '@mantine/core';
import { labelOf } from './format';
import { useSearchChange } from './use-search-change';

interface ChoiceTabsProps {
  /** The search parameter of the page. */
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly values: readonly string[];
}

/** A filter by one of few values, all of them in sight. */
export function ChoiceTabs({ name, label, value, values }: ChoiceTabsProps) {
  const change = useSearchChange();
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      value={value ?? ''}
      data={[{ value: '', label: 'All' }, ...values.map((each) => ({ value: each, label: labelOf(each) }))]}
      onChange={(next) => change({ [name]: next === '' ? undefined : next })}
    />
  );
}
