import { Button, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Permission } from '../api/viewer';
import { Can } from './can';

interface FormButtonProps {
  readonly label: string;
  /** The accessible name, where the label stands in each row of a list. */
  readonly name?: string;
  readonly icon?: ReactNode;
  /** What the form needs; those who do not have it see no button. */
  readonly permission?: Permission;
  readonly button?: ButtonProps;
  /** The form while it is open, such as a `FormModal`. */
  readonly form: (close: () => void) => ReactNode;
}

/** A button that opens a form over the page. */
export function FormButton({ label, name, icon, permission = 'CHANGE', button, form }: FormButtonProps) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <Can permission={permission}>
      <Button leftSection={icon} {...button} aria-label={name} onClick={open}>
        {label}
      </Button>
      {isOpen && form(close)}
    </Can>
  );
}
