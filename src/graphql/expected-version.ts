import { Field, Int } from 'type-graphql';

/** The field by which a change is refused if another change came first. */
export function ExpectedVersionField(): PropertyDecorator {
  const description =
    'The `version` that you have read: the change is refused with VERSION_CONFLICT if the row was changed since. If missing, the version is not compared.';
  return (prototype, key) => Field(() => Int, { nullable: true, description })(prototype, key);
}

export const VERSION_FIELD = { description: 'Raised by every change; for `expectedVersion`.' } as const;
