import { useSuspenseQuery } from '@tanstack/react-query';
import { optionsOf } from './queries';
import { ViewerDocument, type ViewerQuery } from './viewer.gql';

export type Viewer = NonNullable<ViewerQuery['viewer']>;
export type Permission = Viewer['permissions'][number];

export const viewerOptions = optionsOf(ViewerDocument, {});

/** The member of staff who is signed in, on pages that need a sign-in. */
export function useViewer(): Viewer {
  const { data } = useSuspenseQuery(viewerOptions);
  if (data.viewer === null) throw new Error('This page needs a sign-in.');
  return data.viewer;
}

/** The time zone of the own tenant: by its clock windows are shown and set. */
export const useTenantZone = (): string => useSuspenseQuery(viewerOptions).data.tenant?.timeZone ?? 'UTC';

/** Whether the server lets the member of staff call an operation, such as `endSession`. */
export function useMayCall(operation: string): boolean {
  return useViewer().operations.includes(operation);
}

export function useMay(permission: Permission): boolean {
  return useViewer().permissions.includes(permission);
}
