import type { ReactNode } from 'react';
import { useMay, useMayCall, type Permission } from '../api/viewer';

/** Shows its children to those who have the permission. The server refuses the others all the same. */
export function Can({
  permission,
  children,
}: {
  readonly permission: Permission;
  readonly children: ReactNode;
}) {
  return useMay(permission) ? children : null;
}

/** The same by the name of an operation, where the server lets in others than the permission says. */
export function CanCall({
  operation,
  children,
}: {
  readonly operation: string;
  readonly children: ReactNode;
}) {
  return useMayCall(operation) ? children : null;
}
