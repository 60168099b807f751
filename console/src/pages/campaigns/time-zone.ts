import { useOperation } from '../../api/queries';
import { TenantTimeZoneDocument } from './campaigns.gql';

/** The time zone of the own tenant, in which days of campaigns begin; undefined until it is read. */
export function useTimeZone(): string | undefined {
  return useOperation(TenantTimeZoneDocument, {}).data?.tenant?.timeZone;
}
