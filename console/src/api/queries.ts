import {
  keepPreviousData,
  QueryClient,
  queryOptions,
  useMutation,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { RequestFailure, type Refused } from './failure';
import { act, request } from './graphql';
import type { Operation } from './operation';

const RETRIES = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays one; a server that restarts is back within seconds.
      retry: (count, error) => count < RETRIES && error instanceof RequestFailure && error.code === 'NETWORK',
      placeholderData: keepPreviousData,
    },
  },
});

export const optionsOf = <Data, Variables>(operation: Operation<Data, Variables>, variables: Variables) =>
  queryOptions({
    queryKey: [operation.name, variables],
    queryFn: async ({ signal }) => request(operation, variables, signal),
  });

/**
 * Reads by a query, and reads again when something was changed, or after a time if one is given.
 * @param everyMs milliseconds, or what decides by the last answer: undefined does not read again
 */
export function useOperation<Data, Variables>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  everyMs?: number | ((data: Data) => number | undefined),
): UseQueryResult<Data> {
  const repeat = {
    refetchInterval: ({ state: { data } }: { readonly state: { readonly data: Data | undefined } }) =>
      (typeof everyMs !== 'function' ? everyMs : data && everyMs(data)) ?? false,
  };
  return useQuery({ ...optionsOf(operation, variables), ...repeat }) as UseQueryResult<Data>;
}

/** Runs a mutation; afterwards everything that is shown is read again. */
export function useAction<Payload extends { readonly errors: readonly Refused[] }, Variables>(
  operation: Operation<Readonly<Record<string, Payload>>, Variables>,
) {
  return useMutation({
    mutationFn: async (variables: Variables) => act(operation, variables),
    onSuccess: async () => queryClient.invalidateQueries(),
  });
}
