import type { ReactNode } from 'react';
import { useMay, type Permission } from '../api/viewer';

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
