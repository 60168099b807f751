import type { ButtonProps } from '@mantine/core';
import { ConfirmAction } from './confirm-action';

interface SwitchActionProps {
  /** As it is called in a sentence: "The node is disabled." */
  readonly what: string;
  /** Its own name, for the accessible name of the button. */
  readonly name: string;
  readonly isEnabled: boolean;
  /** What happens when it is disabled. */
  readonly off: string;
  /** What happens when it is enabled. */
  readonly on: string;
  readonly run: (enabled: boolean) => Promise<unknown>;
  readonly button?: ButtonProps;
}

/** Enables or disables something, after a word on what will happen. */
export function SwitchAction({ what, name, isEnabled, off, on, run, button }: SwitchActionProps) {
  const label = isEnabled ? 'Disable' : 'Enable';
  return (
    <ConfirmAction
      label={label}
      name={`${label} ${name}`}
      says={isEnabled ? off : on}
      isDangerous={isEnabled}
      run={async () => run(!isEnabled)}
      done={`The ${what} is ${isEnabled ? 'disabled' : 'enabled'}.`}
      button={{ size: 'xs', ...button }}
    />
  );
}
