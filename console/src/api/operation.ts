/** A GraphQL operation as text, with the types of its answer and variables. */
export interface Operation<Data, Variables> {
  readonly name: string;
  readonly text: string;
  /** For the compiler only. */
  readonly types?: (variables: Variables) => Data;
}

export function operation<Data, Variables>(name: string, text: string): Operation<Data, Variables> {
  return { name, text };
}
