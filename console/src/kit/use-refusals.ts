import type { UseFormReturnType } from '@mantine/form';
import { useState } from 'react';
import { messageOf, Refusal } from '../api/failure';

/** The name of the form's field that the server speaks of: the path without "input". */
const fieldOf = (path: readonly string[] | null | undefined): string =>
  (path ?? []).filter((part, index) => index > 0 || part !== 'input').join('.');

/**
 * Shows what the server refuses at the fields of a form; what concerns none of them is answered as a text.
 * @returns the text, and a function that runs the action and says whether it was done
 */
export function useRefusals<Values extends Record<string, unknown>>(form: UseFormReturnType<Values>) {
  const [failure, setFailure] = useState<string | null>(null);
  const attempt = async (action: () => Promise<unknown>): Promise<boolean> => {
    setFailure(null);
    form.clearErrors();
    try {
      await action();
      return true;
    } catch (error) {
      const errors = error instanceof Refusal ? error.errors : [];
      const names = Object.keys(form.getValues());
      const isShown = (field: string): boolean => names.includes(field.split('.')[0] ?? '');
      const known = errors.filter(({ field }) => isShown(fieldOf(field)));
      const rest = errors.filter((each) => !known.includes(each));
      for (const { field, message } of known) form.setFieldError(fieldOf(field), message);
      if (known[0] !== undefined) focusField(form, fieldOf(known[0].field));
      if (errors.length === 0) setFailure(messageOf(error));
      else if (rest.length > 0) setFailure(rest.map(({ message }) => message).join(' '));
      return false;
    }
  };
  return { failure, attempt };
}

/** Leads a reader, and a keyboard, to the field at fault. */
export function focusField<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  name: string | undefined,
): void {
  if (name !== undefined) form.getInputNode(name)?.focus();
}
