import { Alert, Button, Group, Modal, Stack } from '@mantine/core';
import { useForm, type UseFormInput, type UseFormReturnType } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { focusField, useRefusals } from './use-refusals';

type Form<Values extends Record<string, unknown>> = UseFormReturnType<Values>;

interface FormModalProps<Values extends Record<string, unknown>> {
  readonly title: string;
  readonly onClose: () => void;
  readonly size?: 'lg' | 'xl';
  readonly initialValues: Values;
  /** What can be told without the server; all else the server refuses, and the form shows it. */
  readonly validate?: NonNullable<UseFormInput<Values>['validate']>;
  /** Runs the mutation. A refusal stays in the form, which keeps what was typed. */
  readonly submit: (values: Values) => Promise<unknown>;
  readonly submitLabel: string;
  /** What is said when it is done; nothing of a step that another form follows. */
  readonly done?: string;
  /** Of a form that closes otherwise than by being done. */
  readonly onCancel?: () => void;
  readonly children: (form: Form<Values>) => ReactNode;
}

/** A form over the page. It is rendered while it is open, so it begins with fresh values each time. */
export function FormModal<Values extends Record<string, unknown>>(props: FormModalProps<Values>) {
  const { title, onClose, initialValues, validate, submit, submitLabel, done, children } = props;
  const { onCancel = onClose, size = 'lg' } = props;
  const form = useForm<Values>({ initialValues, ...(validate !== undefined && { validate }) });
  const { failure, attempt } = useRefusals(form);
  const [isBusy, setBusy] = useState(false);
  const send = async (values: Values): Promise<void> => {
    setBusy(true);
    const isDone = await attempt(async () => submit(values));
    setBusy(false);
    if (!isDone) return;
    if (done !== undefined) notifications.show({ message: done });
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onCancel}
      title={title}
      size={size}
      // What was typed is not lost by a slip.
      closeOnClickOutside={false}
      closeOnEscape={!form.isDirty()}
    >
      <form
        noValidate
        onSubmit={form.onSubmit(
          (values) => void send(values),
          (errors) => focusField(form, Object.keys(errors)[0]),
        )}
        aria-label={title}
      >
        <Stack gap="sm">
          {failure !== null && (
            <Alert color="red" role="alert">
              {failure}
            </Alert>
          )}
          {children(form)}
          <Group justify="flex-end" mt="sm">
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
            <Button type="submit" loading={isBusy}>
              {submitLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
