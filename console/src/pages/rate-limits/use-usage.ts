import { useOperation } from '../../api/queries';
import { useLatest } from '../../kit/use-latest';
import {
  RateLimitUsageChangedDocument,
  RateLimitUsageDocument,
  type RateLimitUsageQueryVariables,
  type UsageReportFragment,
} from './rate-limits.gql';

export type Window = UsageReportFragment['windows'][number];

/** How far the limits are used up: read at once, and from then on as the server tells it. */
export function useUsage(caller: RateLimitUsageQueryVariables) {
  const { data, error } = useOperation(RateLimitUsageDocument, caller);
  const told = useLatest(RateLimitUsageChangedDocument, caller);
  return { usage: told ?? data?.rateLimitUsage ?? null, error };
}

/** One window of a limit: null while nothing is read yet, undefined where it is unlimited. */
export const windowOf = (
  usage: UsageReportFragment | null,
  { productCode, scope, window }: Pick<Window, 'productCode' | 'scope' | 'window'>,
): Window | null | undefined =>
  usage === null
    ? null
    : usage.windows.find(
        (each) => each.productCode === productCode && each.scope === scope && each.window === window,
      );
